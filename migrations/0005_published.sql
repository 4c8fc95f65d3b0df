-- What partners may know. A month or a week is published once and never changed.

CREATE TABLE published (
    span         TEXT NOT NULL,
    first        DATE NOT NULL,
    last         DATE NOT NULL,
    as_known_on  TIMESTAMPTZ NOT NULL,
    published_at TIMESTAMPTZ NOT NULL,
    body         JSONB NOT NULL,
    PRIMARY KEY (span, first)
);

-- Alerts that those responsible let partners know of.
CREATE TABLE released (
    alert_id UUID PRIMARY KEY REFERENCES alert (id),
    at       TIMESTAMPTZ NOT NULL,
    who      TEXT NOT NULL,
    -- What partners were told, as it stood then.
    body     JSONB NOT NULL
);
