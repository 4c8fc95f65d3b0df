-- One text for SQLite and PostgreSQL: keys and times are made by the program, never by the database.

CREATE TABLE pack (
    id          TEXT PRIMARY KEY,
    body        JSONB NOT NULL,
    loaded_at   TIMESTAMPTZ NOT NULL
);

CREATE TABLE area (
    kind          TEXT NOT NULL,
    code          TEXT NOT NULL,
    boundary_year BIGINT NOT NULL,
    name          TEXT NOT NULL,
    valid_from    DATE NOT NULL,
    valid_to      DATE,
    population    BIGINT,
    PRIMARY KEY (kind, code, boundary_year)
);

CREATE TABLE area_link (
    ward TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (ward, kind, code)
);

-- A ward's outline, as the geometry object of a GeoJSON feature; in degrees, or in metres on the pack's grid.
CREATE TABLE boundary (
    ward          TEXT NOT NULL,
    boundary_year BIGINT NOT NULL,
    in_metres     BOOLEAN NOT NULL,
    shape         JSONB NOT NULL,
    PRIMARY KEY (ward, boundary_year)
);

-- Roles, never personal names. Kind and code are empty for the whole county.
CREATE TABLE mailbox (
    role    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    code    TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (role, kind, code, address)
);

CREATE TABLE import_file (
    id          UUID PRIMARY KEY,
    source      TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    header      JSONB NOT NULL,
    sha256      TEXT NOT NULL,
    imported_at TIMESTAMPTZ NOT NULL,
    row_count   BIGINT NOT NULL,
    added       BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    unchanged   BIGINT NOT NULL,
    rejected    BIGINT NOT NULL
);

CREATE TABLE reject (
    import_id   UUID NOT NULL REFERENCES import_file (id),
    line        BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    body        JSONB NOT NULL,
    PRIMARY KEY (import_id, position)
);

-- Every version of every incident, from the moment it became known here.
CREATE TABLE incident (
    id            UUID NOT NULL,
    known_at      TIMESTAMPTZ NOT NULL,
    content       TEXT NOT NULL,
    import_id     UUID NOT NULL REFERENCES import_file (id),
    source        TEXT NOT NULL,
    reference     TEXT NOT NULL,
    class         TEXT NOT NULL,
    status        TEXT NOT NULL,
    categories    BIGINT NOT NULL,
    occurred_from TIMESTAMPTZ NOT NULL,
    occurred_to   TIMESTAMPTZ NOT NULL,
    recorded_at   TIMESTAMPTZ,
    lon           DOUBLE PRECISION,
    lat           DOUBLE PRECISION,
    easting       DOUBLE PRECISION,
    northing      DOUBLE PRECISION,
    precision     TEXT NOT NULL,
    ward          TEXT,
    channel       TEXT,
    offence       TEXT,
    repeat_key    TEXT,
    PRIMARY KEY (id, known_at)
);
CREATE INDEX incident_source ON incident (source);
CREATE INDEX incident_import ON incident (import_id);

-- Probably one event told by two sources: `also` is not counted while the link stands.
CREATE TABLE same_event (
    also      UUID PRIMARY KEY,
    kept      UUID NOT NULL,
    reason    TEXT NOT NULL,
    linked_at TIMESTAMPTZ NOT NULL,
    undone_at TIMESTAMPTZ
);

CREATE TABLE rule_set (
    version     TEXT PRIMARY KEY,
    files       JSONB NOT NULL,
    accepted_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE run (
    id            UUID PRIMARY KEY,
    night         DATE NOT NULL,
    tick          TIMESTAMPTZ UNIQUE,
    as_known_on   TIMESTAMPTZ NOT NULL,
    started_at    TIMESTAMPTZ NOT NULL,
    finished_at   TIMESTAMPTZ,
    outcome       TEXT NOT NULL,
    rules_version TEXT NOT NULL,
    summary       JSONB NOT NULL
);
CREATE INDEX run_night ON run (night);

CREATE TABLE finding (
    run_id   UUID NOT NULL REFERENCES run (id),
    position BIGINT NOT NULL,
    body     JSONB NOT NULL,
    PRIMARY KEY (run_id, position)
);

CREATE TABLE alert (
    id         UUID PRIMARY KEY,
    number     TEXT NOT NULL UNIQUE,
    identity   TEXT NOT NULL,
    state      TEXT NOT NULL,
    opened     DATE NOT NULL,
    night      DATE NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    body       JSONB NOT NULL
);
-- One identity, one living alert.
CREATE UNIQUE INDEX alert_alive ON alert (identity) WHERE state <> 'closed';

CREATE TABLE alert_number (
    year BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
);

-- What happened to an alert, in order; nothing here is ever changed.
CREATE TABLE alert_event (
    id       UUID PRIMARY KEY,
    alert_id UUID NOT NULL REFERENCES alert (id),
    at       TIMESTAMPTZ NOT NULL,
    what     TEXT NOT NULL,
    who      TEXT NOT NULL
);
CREATE INDEX alert_event_alert ON alert_event (alert_id, at);

-- Messages as they were made: sent again unchanged until they are through.
CREATE TABLE outbox (
    id            UUID PRIMARY KEY,
    alert_id      UUID NOT NULL REFERENCES alert (id),
    mailbox       TEXT NOT NULL,
    sequence      BIGINT NOT NULL,
    message_id    TEXT NOT NULL,
    message       TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    state         TEXT NOT NULL,
    attempts      BIGINT NOT NULL,
    next_try      TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ,
    last_error    TEXT,
    sent_at       TIMESTAMPTZ,
    UNIQUE (alert_id, mailbox, sequence)
);
CREATE INDEX outbox_waiting ON outbox (state, next_try);

CREATE TABLE account (
    name          TEXT PRIMARY KEY,
    role          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    code          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL
);

CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    body       JSONB NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- Failed sign-ins, counted for each account and each address.
CREATE TABLE sign_in_failure (
    who          TEXT PRIMARY KEY,
    failures     BIGINT NOT NULL,
    counted_from TIMESTAMPTZ NOT NULL
);

CREATE TABLE lease (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
