-- Who agreed that a landed change goes, and to exactly what; and what has to leave the index of paths when it expires.

-- `marks` name the landed hunks that go; `holder` may agree to that; `signer` and `account` are who would land it, as git
-- names them. `agreed_by` is the note, or the person, that agreed.
ALTER TABLE conflict ADD COLUMN marks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE conflict ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE conflict ADD COLUMN signer TEXT NOT NULL DEFAULT '';
ALTER TABLE conflict ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE conflict ADD COLUMN agreed_by TEXT NOT NULL DEFAULT '';
CREATE INDEX conflict_agreed ON conflict (repo_id, sha) WHERE agreed_by <> '';
CREATE INDEX conflict_told ON conflict (run_id) WHERE agreed_by = '';

CREATE INDEX note_superseded ON note (repo_id, loop || '@' || who) WHERE superseded_by <> '' AND kind = 'intent';
CREATE INDEX note_addressed ON note (repo_id, addressee, seq) WHERE superseded_by = '' AND addressee <> '';
CREATE INDEX run_session ON run (principal, session);

-- Notes that end by time and still lie in the index of paths.
CREATE TABLE note_expiry (
  repo_id TEXT NOT NULL REFERENCES repo (id),
  expires_at_ms INTEGER NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (repo_id, expires_at_ms, id)
) STRICT, WITHOUT ROWID;
INSERT INTO note_expiry (repo_id, expires_at_ms, id)
SELECT repo_id, expires_at_ms, id FROM note WHERE expires_at_ms IS NOT NULL AND superseded_by = '';

-- Whether a landed change is on the trunk, or was only met on another branch.
ALTER TABLE landed ADD COLUMN is_trunk INTEGER NOT NULL DEFAULT 1 CHECK (is_trunk IN (0, 1));
CREATE INDEX landed_aside ON landed (repo_id, sha) WHERE is_trunk = 0;

-- Reviews, builds and scans are no attempts, either.
DROP VIEW v_loop_health;
CREATE VIEW v_loop_health AS
SELECT r.repo_id AS repo, r.loop, COUNT(*) AS runs,
  SUM(r.state = 'live') AS live, SUM(r.state = 'lost') AS lost,
  SUM(r.status = 'done') AS done, SUM(r.status = 'abandoned') AS abandoned,
  COALESCE(SUM(o.attempts), 0) AS attempts, COALESCE(SUM(o.rework), 0) AS rework_rounds,
  COALESCE(SUM(o.commits), 0) AS outcomes_with_commits,
  datetime(MAX(r.started_at_ms) / 1000, 'unixepoch') AS last_started_at
FROM run AS r
LEFT JOIN (
  SELECT about_run, SUM(role NOT IN ('checker', 'reviewer', 'build', 'scan')) AS attempts, MAX(rework) AS rework,
    SUM(commits <> '[]') AS commits
  FROM outcome GROUP BY about_run
) AS o ON o.about_run = r.id
GROUP BY r.repo_id, r.loop;
