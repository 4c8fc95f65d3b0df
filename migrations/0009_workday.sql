-- In the middle of a town many more people are about than live there: rates there are also told by those.

ALTER TABLE area ADD COLUMN workday_population BIGINT;
