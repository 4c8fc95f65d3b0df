-- An import looks for other reports of the same events: those of a few days, however many there are.

CREATE INDEX incident_occurred ON incident (occurred_from);
