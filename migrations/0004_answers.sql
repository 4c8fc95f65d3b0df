-- Answers to alerts, quiet that was asked for, and what analysts have to know of the data.

ALTER TABLE mailbox ADD COLUMN active BOOLEAN NOT NULL DEFAULT TRUE;
-- Hours in which this mailbox gets no mail, as the directory writes them; empty for none.
ALTER TABLE mailbox ADD COLUMN mute TEXT NOT NULL DEFAULT '';

ALTER TABLE alert_event ADD COLUMN why TEXT NOT NULL DEFAULT '';

-- What the messages of a notice were made from, apart from their readers: reminders and previews are made from it again.
CREATE TABLE notice (
    alert_id UUID NOT NULL REFERENCES alert (id),
    sequence BIGINT NOT NULL,
    body     JSONB NOT NULL,
    PRIMARY KEY (alert_id, sequence)
);

-- A link in a mail, bound to an alert and a recipient; only the hash of its secret part is kept.
CREATE TABLE answer_link (
    hash     TEXT PRIMARY KEY,
    alert_id UUID NOT NULL REFERENCES alert (id),
    mailbox  TEXT NOT NULL,
    role     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    code     TEXT NOT NULL,
    made_at  TIMESTAMPTZ NOT NULL
);

-- Buttons that were pressed: each works once.
CREATE TABLE pressed (
    token TEXT PRIMARY KEY,
    at    TIMESTAMPTZ NOT NULL
);

-- Keys that this installation made for itself.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE action (
    id       UUID PRIMARY KEY,
    alert_id UUID REFERENCES alert (id),
    role     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    code     TEXT NOT NULL,
    title    TEXT NOT NULL,
    due      DATE,
    at       TIMESTAMPTZ NOT NULL,
    who      TEXT NOT NULL
);
CREATE INDEX action_alert ON action (alert_id);

-- Quiet about a rule, an area or a category, or all of them together; it always ends.
CREATE TABLE silence (
    id       UUID PRIMARY KEY,
    body     JSONB NOT NULL,
    first    DATE NOT NULL,
    last     DATE NOT NULL,
    made_at  TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ
);

-- Something about the data, the rules or the mail that an analyst has to know; open while it lasts.
CREATE TABLE data_alert (
    id        UUID PRIMARY KEY,
    identity  TEXT NOT NULL,
    body      JSONB NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX data_alert_open ON data_alert (identity) WHERE closed_at IS NULL;

-- A row that everybody who changes alerts takes first, so that they wait for each other.
CREATE TABLE turn (
    name  TEXT PRIMARY KEY,
    times BIGINT NOT NULL
);
