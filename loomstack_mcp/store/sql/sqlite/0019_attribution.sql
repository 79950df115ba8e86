-- Whose landed changes are, by what and how sure, for good: also when the ledger and the imprints are long forgotten.

-- `bound_by`, `flags` and `mentions` are those of core/changes/attributions.py and mentions.py. `run_id` is '' where nobody
-- is known to have made it, `landed_at_ms` 0 where it was not seen on the trunk.
CREATE TABLE attribution (
  number INTEGER PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  sha TEXT NOT NULL,
  run_id TEXT NOT NULL,
  bound_by TEXT NOT NULL,
  confidence REAL NOT NULL,
  flags TEXT NOT NULL,
  mentions TEXT NOT NULL,
  title TEXT NOT NULL,
  author TEXT NOT NULL,
  made_at_ms INTEGER NOT NULL,
  landed_at_ms INTEGER NOT NULL,
  UNIQUE (repo_id, sha)
) STRICT;
CREATE INDEX attribution_nobodys ON attribution (repo_id, landed_at_ms) WHERE run_id = '';

-- The runs that made it, or some of it, the likeliest first.
CREATE TABLE attribution_run (
  attribution INTEGER NOT NULL REFERENCES attribution (number) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  run_id TEXT NOT NULL REFERENCES run (id),
  bound_by TEXT NOT NULL,
  confidence REAL NOT NULL,
  PRIMARY KEY (attribution, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX attribution_run_run ON attribution_run (run_id);

-- Who wrote which of its lines, where that is not one run all of them: keyed numbers, as an imprint has them.
CREATE TABLE attribution_line (
  attribution INTEGER NOT NULL REFERENCES attribution (number) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  place INTEGER NOT NULL,
  PRIMARY KEY (attribution, line, place)
) STRICT, WITHOUT ROWID;

-- Which commits it takes back, each in as many digits as are known.
CREATE TABLE attribution_revert (
  attribution INTEGER NOT NULL REFERENCES attribution (number) ON DELETE CASCADE,
  reverted TEXT NOT NULL,
  short TEXT NOT NULL,
  PRIMARY KEY (attribution, reverted)
) STRICT, WITHOUT ROWID;
CREATE INDEX attribution_revert_short ON attribution_revert (short);

-- The pull requests, or merge requests, of a repo that runs named in the links of their outcomes.
CREATE TABLE pull (
  repo_id TEXT NOT NULL REFERENCES repo (id),
  number INTEGER NOT NULL,
  run_id TEXT NOT NULL REFERENCES run (id),
  PRIMARY KEY (repo_id, number, run_id)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO pull (repo_id, number, run_id)
SELECT o.repo_id, CAST(substr(l.value, instr(l.value, '/pull/') + 6, 9) AS INTEGER), o.about_run
FROM outcome AS o, json_each(o.links) AS l
WHERE l.value LIKE 'https://' || o.repo_id || '/pull/%' AND CAST(substr(l.value, instr(l.value, '/pull/') + 6, 9) AS INTEGER) > 0;

-- How many of a run's marks are lines; 0 where that was not counted.
ALTER TABLE imprint ADD COLUMN lines INTEGER NOT NULL DEFAULT 0;
