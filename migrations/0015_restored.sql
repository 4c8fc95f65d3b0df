-- When a backup was put in place of what was there: what is written until the next night may have been sent before.
CREATE TABLE restored (
    at TIMESTAMPTZ NOT NULL
);
