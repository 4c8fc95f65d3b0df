-- The action register: what an action is for, where it is, how it stands and what came of it. An action of before was about
-- the area of its owner, and improved the response to an alert.

ALTER TABLE action ADD COLUMN priority TEXT NOT NULL DEFAULT 'improve response';
ALTER TABLE action ADD COLUMN state TEXT NOT NULL DEFAULT 'open';
ALTER TABLE action ADD COLUMN area_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE action ADD COLUMN area_code TEXT NOT NULL DEFAULT '';
ALTER TABLE action ADD COLUMN outcome TEXT;
ALTER TABLE action ADD COLUMN ended_at TIMESTAMPTZ;
ALTER TABLE action ADD COLUMN overdue_told_at TIMESTAMPTZ;
ALTER TABLE action ADD COLUMN looked_at TEXT;

UPDATE action SET area_kind = kind, area_code = code;

CREATE INDEX action_state ON action (state, due);
