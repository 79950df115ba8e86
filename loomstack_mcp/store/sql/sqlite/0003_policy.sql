-- Decisions of the policy: what was asked, at which point, what was answered, by which rules and which hash of them.

CREATE TABLE decision (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  run_id TEXT NOT NULL,
  who TEXT NOT NULL,
  point TEXT NOT NULL,
  actions TEXT NOT NULL,
  subject TEXT NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('allow', 'warn', 'require_approval', 'deny')),
  reasons TEXT NOT NULL,
  policy TEXT NOT NULL,
  decided_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_latest ON decision (repo_id, decided_at_ms);
CREATE INDEX decision_run ON decision (run_id, decided_at_ms) WHERE run_id <> '';

CREATE VIEW v_decisions AS
SELECT d.id AS decision, d.repo_id AS repo, d.run_id AS run, d.who, d.point, d.actions, d.subject, d.answer, d.reasons,
  d.policy, datetime(d.decided_at_ms / 1000, 'unixepoch') AS decided_at
FROM decision AS d;
