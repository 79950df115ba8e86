-- The coordination core: who runs, what is held, what is known, what came of it, and the log of it all.
-- Times are integer milliseconds of the lease clock; lists are JSON text.

CREATE TABLE boot (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  boot_id TEXT NOT NULL,
  base_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE repo (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL DEFAULT 0,
  ignore_case INTEGER NOT NULL DEFAULT 0 CHECK (ignore_case IN (0, 1)),
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every name a repo is known by, and every clone (`clone:…`) that was seen of it.
CREATE TABLE repo_alias (
  identity TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX repo_alias_repo ON repo_alias (repo_id);

CREATE TABLE run (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  parent_id TEXT REFERENCES run (id),
  checks_run TEXT REFERENCES run (id),
  loop TEXT NOT NULL,
  goal TEXT NOT NULL,
  key TEXT NOT NULL,
  finding TEXT NOT NULL,
  branch TEXT NOT NULL,
  worktree TEXT NOT NULL,
  paths TEXT NOT NULL,
  principal TEXT NOT NULL,
  session TEXT NOT NULL,
  agent TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('live', 'ended', 'lost')),
  status TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL CHECK (ttl_ms > 0),
  expires_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX run_key ON run (repo_id, principal, loop, key) WHERE key <> '';
CREATE INDEX run_caller ON run (principal, session) WHERE state = 'live';
CREATE INDEX run_lease ON run (repo_id, expires_at_ms) WHERE state = 'live';
CREATE INDEX run_parent ON run (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX run_started ON run (repo_id, seq);

CREATE TABLE claim (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  run_id TEXT NOT NULL REFERENCES run (id),
  fence INTEGER NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('exclusive', 'shared')),
  intent TEXT NOT NULL,
  patterns TEXT NOT NULL,
  ttl_ms INTEGER NOT NULL CHECK (ttl_ms > 0),
  granted_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  ended_how TEXT NOT NULL DEFAULT '' CHECK (ended_how IN ('', 'released', 'expired', 'revoked')),
  UNIQUE (repo_id, fence)
) STRICT;
CREATE INDEX claim_run ON claim (run_id, ttl_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX claim_same ON claim (run_id, mode, patterns) WHERE ended_at_ms IS NULL;
CREATE INDEX claim_held ON claim (repo_id, fence) WHERE ended_at_ms IS NULL;

-- A refused request. It keeps its place in the queue until place_until_ms, and is told when its paths are free.
CREATE TABLE waiter (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  run_id TEXT NOT NULL REFERENCES run (id),
  seq INTEGER NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('exclusive', 'shared')),
  intent TEXT NOT NULL,
  patterns TEXT NOT NULL,
  place_until_ms INTEGER NOT NULL,
  UNIQUE (run_id, mode, patterns)
) STRICT;

-- Where claims, waiters, runs and notes lie: each alternative of a pattern under its literal folder prefix, with
-- the file name extension of all that it covers ('' where that may differ); both case folded.
CREATE TABLE path_key (
  repo_id TEXT NOT NULL,
  noun TEXT NOT NULL CHECK (noun IN ('claim', 'waiter', 'run', 'note')),
  key TEXT NOT NULL,
  extension TEXT NOT NULL,
  id TEXT NOT NULL,
  pattern TEXT NOT NULL,
  PRIMARY KEY (repo_id, noun, key, extension, id, pattern)
) STRICT, WITHOUT ROWID;
CREATE INDEX path_key_extension ON path_key (repo_id, noun, extension, key);
CREATE INDEX path_key_id ON path_key (id);

CREATE TABLE note (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  run_id TEXT REFERENCES run (id),
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('intent', 'decision', 'fact', 'warning', 'handoff')),
  authority TEXT NOT NULL CHECK (authority IN ('human', 'ratified', 'loop')),
  who TEXT NOT NULL,
  loop TEXT NOT NULL,
  text TEXT NOT NULL,
  paths TEXT NOT NULL,
  addressee TEXT NOT NULL,
  supersedes TEXT NOT NULL,
  contradicts TEXT NOT NULL,
  shared_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  superseded_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX note_new ON note (repo_id, seq) WHERE superseded_by = '';
CREATE INDEX note_human ON note (repo_id, seq) WHERE superseded_by = '' AND authority <> 'loop';

CREATE TABLE outcome (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  run_id TEXT NOT NULL REFERENCES run (id),
  about_run TEXT NOT NULL REFERENCES run (id),
  seq INTEGER NOT NULL,
  role TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('passed', 'failed', 'done', 'blocked', 'abandoned')),
  summary TEXT NOT NULL,
  passed INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  failing TEXT NOT NULL,
  tried TEXT NOT NULL,
  finding TEXT NOT NULL,
  commits TEXT NOT NULL,
  links TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  rework INTEGER NOT NULL,
  next_action TEXT NOT NULL CHECK (next_action IN ('retry', 'check', 'land', 'escalate', 'take_next', 'stop')),
  recorded_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX outcome_about ON outcome (about_run, seq);
CREATE INDEX outcome_landed ON outcome (repo_id, seq) WHERE commits <> '[]';

-- What happened to a run since its last call; rides on its next answers.
CREATE TABLE alert (
  run_id TEXT NOT NULL REFERENCES run (id),
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  about TEXT NOT NULL,
  text TEXT NOT NULL,
  who TEXT NOT NULL,
  deliveries INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, seq, about)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_due ON alert (run_id, seq) WHERE deliveries < 2;

CREATE TABLE event (
  repo_id TEXT NOT NULL REFERENCES repo (id),
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  run_id TEXT NOT NULL,
  about TEXT NOT NULL,
  payload TEXT NOT NULL,
  PRIMARY KEY (repo_id, seq)
) STRICT, WITHOUT ROWID;

-- The public views: a stable contract for people who query the file.

CREATE VIEW v_runs AS
SELECT r.id AS run, r.repo_id AS repo, r.loop, r.goal, r.principal AS who,
  CASE WHEN r.state = 'live' AND r.expires_at_ms <= t.now_ms AND r.seen_at_ms <= t.now_ms - 3600000 THEN 'lost'
       WHEN r.state = 'live' AND r.expires_at_ms <= t.now_ms THEN 'lapsed'
       ELSE r.state END AS state,
  r.status, r.branch, r.worktree, r.paths, r.parent_id AS parent, r.checks_run, r.finding, r.key,
  r.session, r.agent, datetime(r.started_at_ms / 1000, 'unixepoch') AS started_at,
  datetime(r.ended_at_ms / 1000, 'unixepoch') AS ended_at,
  CASE WHEN r.state = 'live' THEN (r.expires_at_ms - t.now_ms) / 1000 END AS expires_in_s
FROM run AS r
CROSS JOIN (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms) AS t;

CREATE VIEW v_claims AS
SELECT c.id AS claim, c.repo_id AS repo, c.run_id AS run, r.loop, r.principal AS who, c.mode, c.intent,
  c.patterns AS paths, c.fence,
  CASE WHEN c.ended_at_ms IS NOT NULL THEN c.ended_how
       WHEN r.expires_at_ms <= t.now_ms THEN 'lapsed' ELSE 'held' END AS state,
  datetime(c.granted_at_ms / 1000, 'unixepoch') AS granted_at,
  datetime(c.ended_at_ms / 1000, 'unixepoch') AS ended_at,
  CASE WHEN c.ended_at_ms IS NULL THEN (r.expires_at_ms - t.now_ms) / 1000 END AS expires_in_s
FROM claim AS c JOIN run AS r ON r.id = c.run_id
CROSS JOIN (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms) AS t;

CREATE VIEW v_loop_health AS
SELECT r.repo_id AS repo, r.loop, COUNT(*) AS runs,
  SUM(r.state = 'live') AS live, SUM(r.state = 'lost') AS lost,
  SUM(r.status = 'done') AS done, SUM(r.status = 'abandoned') AS abandoned,
  COALESCE(SUM(o.attempts), 0) AS attempts, COALESCE(SUM(o.rework), 0) AS rework_rounds,
  COALESCE(SUM(o.commits), 0) AS outcomes_with_commits,
  datetime(MAX(r.started_at_ms) / 1000, 'unixepoch') AS last_started_at
FROM run AS r
LEFT JOIN (
  SELECT about_run, SUM(role <> 'checker') AS attempts, MAX(rework) AS rework, SUM(commits <> '[]') AS commits
  FROM outcome GROUP BY about_run
) AS o ON o.about_run = r.id
GROUP BY r.repo_id, r.loop;
