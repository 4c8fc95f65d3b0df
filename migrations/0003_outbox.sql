-- The outbox again, for messages about other things than alerts, held ones, and what may have arrived twice.
CREATE TABLE outbox_next (
    id            UUID PRIMARY KEY,
    kind          TEXT NOT NULL,
    -- The alert for kind `alert`; otherwise what the message is about. No foreign key: it may be anything.
    about         UUID NOT NULL,
    mailbox       TEXT NOT NULL,
    sequence      BIGINT NOT NULL,
    -- 0 leaves first.
    priority      BIGINT NOT NULL,
    message_id    TEXT NOT NULL,
    message       TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    -- The first moment it may leave; the days of trying count from here.
    due           TIMESTAMPTZ NOT NULL,
    state         TEXT NOT NULL,
    attempts      BIGINT NOT NULL,
    next_try      TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ,
    -- It may have reached the server more than once, or without our knowing.
    maybe_arrived BOOLEAN NOT NULL,
    last_error    TEXT,
    sent_at       TIMESTAMPTZ,
    failed_at     TIMESTAMPTZ,
    UNIQUE (about, mailbox, sequence)
);
INSERT INTO outbox_next (id, kind, about, mailbox, sequence, priority, message_id, message, created_at, due, state,
        attempts, next_try, claimed_until, maybe_arrived, last_error, sent_at, failed_at)
    SELECT id, 'alert', alert_id, mailbox, sequence, 1, message_id, message, created_at, created_at,
        CASE WHEN state = 'waiting' AND claimed_until IS NOT NULL THEN 'sending' ELSE state END,
        attempts, next_try, claimed_until, FALSE, last_error, sent_at,
        CASE WHEN state = 'failed' THEN next_try ELSE NULL END
    FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_next RENAME TO outbox;
-- What has not left yet, in the order in which it leaves.
CREATE INDEX outbox_waiting ON outbox (priority, next_try, id) WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_failed ON outbox (failed_at) WHERE state = 'failed';
