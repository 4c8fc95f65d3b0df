-- Every page asks for the last night that was judged, and which were: from the index alone.

CREATE INDEX run_judged ON run (outcome, night, started_at, as_known_on);
