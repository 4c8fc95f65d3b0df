-- Every cluster of a rule as each night left it, and what changed: names last from night to night by it.
CREATE TABLE cluster_night (
    rule  TEXT NOT NULL,
    night DATE NOT NULL,
    body  JSONB NOT NULL,
    PRIMARY KEY (rule, night)
);
