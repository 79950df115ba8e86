-- The ledger: what landed changes removed and added, as keyed hashes of lines; which run made them; and the conflicts
-- found against them. No source text.

CREATE TABLE line_key (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  key BLOB NOT NULL
) STRICT;

CREATE TABLE landed (
  number INTEGER PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  sha TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  made_at_ms INTEGER NOT NULL,
  author TEXT NOT NULL,
  account TEXT NOT NULL,
  title TEXT NOT NULL,
  run_id TEXT NOT NULL,
  said INTEGER NOT NULL,
  UNIQUE (repo_id, sha)
) STRICT;
CREATE INDEX landed_authors ON landed (repo_id, account, author);

-- One file of a landed change. `hunks` is packed (core/changes/packing.py).
CREATE TABLE landed_file (
  landed INTEGER NOT NULL REFERENCES landed (number) ON DELETE CASCADE,
  repo_id TEXT NOT NULL,
  path TEXT NOT NULL,
  old_path TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  hunks BLOB NOT NULL,
  PRIMARY KEY (landed, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX landed_file_path ON landed_file (repo_id, path);
CREATE INDEX landed_file_old_path ON landed_file (repo_id, old_path) WHERE old_path <> path;

-- Which run made a commit. `short` is the first seven digits, for runs that record no more of it than that.
CREATE TABLE binding (
  repo_id TEXT NOT NULL REFERENCES repo (id),
  short TEXT NOT NULL,
  sha TEXT NOT NULL,
  run_id TEXT NOT NULL REFERENCES run (id),
  bound_by TEXT NOT NULL CHECK (bound_by IN ('outcome', 'trailer')),
  PRIMARY KEY (repo_id, short, sha, run_id)
) STRICT, WITHOUT ROWID;

INSERT INTO binding (repo_id, short, sha, run_id, bound_by)
SELECT DISTINCT o.repo_id, substr(c.value, 1, 7), c.value, o.about_run, 'outcome'
FROM outcome AS o, json_each(o.commits) AS c;

CREATE TABLE conflict (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  run_id TEXT NOT NULL REFERENCES run (id),
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('undo', 'stale_base', 'ping_pong', 'intent')),
  verdict TEXT NOT NULL CHECK (verdict IN ('warn', 'stop')),
  sha TEXT NOT NULL,
  title TEXT NOT NULL,
  who TEXT NOT NULL,
  with_run TEXT NOT NULL,
  paths TEXT NOT NULL,
  intent TEXT NOT NULL,
  evidence TEXT NOT NULL,
  landed_at_ms INTEGER NOT NULL,
  found_at_ms INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'settled', 'void')),
  how TEXT NOT NULL DEFAULT '',
  ended_at_ms INTEGER
) STRICT;
CREATE INDEX conflict_open ON conflict (repo_id, seq) WHERE state = 'open';
CREATE INDEX conflict_run ON conflict (run_id) WHERE state = 'open';

CREATE VIEW v_conflicts AS
SELECT c.id AS conflict, c.repo_id AS repo, c.run_id AS run, r.loop, r.principal AS who, c.kind, c.verdict,
  c.sha AS "commit", c.who AS with_whom, c.with_run, c.paths, c.intent, c.evidence, c.state, c.how,
  datetime(c.found_at_ms / 1000, 'unixepoch') AS found_at, datetime(c.ended_at_ms / 1000, 'unixepoch') AS ended_at
FROM conflict AS c JOIN run AS r ON r.id = c.run_id;

-- Landed changes lie at paths, too: those that the claims of their runs covered.
CREATE TABLE path_key_wider (
  repo_id TEXT NOT NULL,
  noun TEXT NOT NULL CHECK (noun IN ('claim', 'waiter', 'run', 'note', 'change')),
  key TEXT NOT NULL,
  extension TEXT NOT NULL,
  id TEXT NOT NULL,
  pattern TEXT NOT NULL,
  PRIMARY KEY (repo_id, noun, key, extension, id, pattern)
) STRICT, WITHOUT ROWID;
INSERT INTO path_key_wider (repo_id, noun, key, extension, id, pattern)
SELECT repo_id, noun, key, extension, id, pattern FROM path_key;
DROP TABLE path_key;
ALTER TABLE path_key_wider RENAME TO path_key;
CREATE INDEX path_key_extension ON path_key (repo_id, noun, extension, key);
CREATE INDEX path_key_id ON path_key (id);
