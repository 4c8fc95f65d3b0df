-- Programs call the site with tokens; a call that writes is answered once, however often it is sent.

CREATE TABLE api_token (
    name       TEXT PRIMARY KEY,
    -- A hash: whoever reads the table, or a copy of it, can't call anything.
    hash       TEXT NOT NULL UNIQUE,
    -- Words with a space between them.
    scopes     TEXT NOT NULL,
    -- Whose incidents it may send; empty for none.
    source     TEXT NOT NULL,
    -- Which area's figures and alerts it reads; both empty for the whole county.
    kind       TEXT NOT NULL,
    code       TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    ends_at    TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    used_at    TIMESTAMPTZ
);

CREATE TABLE api_call (
    token      TEXT NOT NULL,
    -- What the caller names it by.
    key        TEXT NOT NULL,
    body_hash  TEXT NOT NULL,
    -- Whoever works on it; somebody else may take over what was given up.
    claim      UUID NOT NULL,
    claimed_at TIMESTAMPTZ NOT NULL,
    -- Text, not JSON: it is sent again byte by byte. None until it is done.
    answer     TEXT,
    PRIMARY KEY (token, key)
);
CREATE INDEX api_call_claimed ON api_call (claimed_at);
