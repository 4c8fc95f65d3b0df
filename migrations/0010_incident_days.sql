-- An import looks for reports of the same events by other sources: those of a few days, however many there are.

CREATE INDEX incident_occurred ON incident (occurred_from, source, id);

-- What an import added is read and put beside what is kept in memory.

CREATE INDEX incident_import ON incident (import_id);
