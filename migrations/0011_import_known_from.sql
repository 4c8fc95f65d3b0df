-- The earliest instant at which something that an import told became known: whether answers about a past instant still hold.
-- Imports of before have none: what is kept is kept since the start of the program, and they came before it.

ALTER TABLE import_file ADD COLUMN known_from TIMESTAMPTZ;

CREATE INDEX import_file_known_from ON import_file (known_from);
