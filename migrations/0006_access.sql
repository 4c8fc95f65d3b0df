-- Sessions end at two times and with their account; sign-ins that fail are counted; who saw and did what is kept.

-- Sessions of before do not say when they began: everybody signs in once more.
DROP TABLE session;
CREATE TABLE session (
    -- A hash of what the browser sends.
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    body       JSONB NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    seen_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX session_account ON session (account);

-- Now `account:NAME`, or `client:` and a keyed hash of an address.
DELETE FROM sign_in_failure;

-- Rows are added and read, never changed or deleted. No incident text.
CREATE TABLE audit (
    id      UUID PRIMARY KEY,
    at      TIMESTAMPTZ NOT NULL,
    account TEXT NOT NULL,
    role    TEXT NOT NULL,
    what    TEXT NOT NULL,
    about   TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
