-- Who runs the engine while several machines could. The term grows with every change of hands; what the leader of an
-- earlier term still writes is refused.
CREATE TABLE leader (
    name   TEXT PRIMARY KEY,
    term   BIGINT NOT NULL,
    -- Nobody: empty.
    holder TEXT NOT NULL
);
-- Apart from it: a night keeps hold of the row above until it is saved, and its leader lives meanwhile.
CREATE TABLE heartbeat (
    name TEXT PRIMARY KEY,
    term BIGINT NOT NULL,
    beat BIGINT NOT NULL
);
INSERT INTO leader (name, term, holder) VALUES ('engine', 0, '');
INSERT INTO heartbeat (name, term, beat) VALUES ('engine', 0, 0);
DROP TABLE lease;
