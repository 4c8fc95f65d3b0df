-- An import looks for reports of the same events by other sources: those of a few days, however many there are.

CREATE INDEX incident_occurred ON incident (occurred_from, source, id);
