-- Approvals: what decisions asked of people about exactly one action, and what each of them said. Evidence: checked facts
-- about commits that no run recorded: of a CI job, or of a person.

CREATE TABLE approval (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  seq INTEGER NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decision (id),
  run_id TEXT NOT NULL,
  who TEXT NOT NULL,
  point TEXT NOT NULL,
  actions TEXT NOT NULL,
  shown TEXT NOT NULL,
  digest TEXT NOT NULL,
  head TEXT NOT NULL,
  rules TEXT NOT NULL,
  makers TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked', 'granted', 'denied', 'used', 'expired')),
  asked_at_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  used_at TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX approval_digest ON approval (repo_id, digest, seq);
CREATE INDEX approval_open ON approval (repo_id, seq) WHERE state IN ('asked', 'granted');

CREATE TABLE approval_answer (
  approval_id TEXT NOT NULL REFERENCES approval (id),
  who TEXT NOT NULL,
  called TEXT NOT NULL,
  roles TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('granted', 'denied')),
  why TEXT NOT NULL,
  answered_at_ms INTEGER NOT NULL,
  PRIMARY KEY (approval_id, who)
) STRICT;

CREATE TABLE evidence (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  seq INTEGER NOT NULL,
  sha TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('tests', 'review', 'build', 'scan')),
  passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
  who TEXT NOT NULL,
  link TEXT NOT NULL,
  added_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_commit ON evidence (repo_id, sha, seq);

CREATE VIEW v_approvals AS
SELECT a.id AS approval, a.repo_id AS repo, a.decision_id AS decision, a.run_id AS run, a.who, a.point, a.actions,
  a.shown, a.head, a.rules, a.state, a.used_at, datetime(a.asked_at_ms / 1000, 'unixepoch') AS asked_at,
  datetime(a.until_ms / 1000, 'unixepoch') AS holds_until,
  (SELECT json_group_array(json_object('who', b.who, 'verdict', b.verdict, 'why', b.why))
   FROM approval_answer AS b WHERE b.approval_id = a.id) AS answers
FROM approval AS a;
