-- Whose a commit is may be known from git's own hooks too: `bound_by` is `outcome` where the run said so, `commit` where
-- it was seen to make the commit, or one that this was rewritten from.

CREATE TABLE binding_new (
  repo_id TEXT NOT NULL REFERENCES repo (id),
  short TEXT NOT NULL,
  sha TEXT NOT NULL,
  run_id TEXT NOT NULL REFERENCES run (id),
  bound_by TEXT NOT NULL CHECK (bound_by IN ('outcome', 'commit')),
  imprinted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (repo_id, short, sha, run_id)
) STRICT, WITHOUT ROWID;

INSERT INTO binding_new (repo_id, short, sha, run_id, bound_by, imprinted)
SELECT repo_id, short, sha, run_id, bound_by, imprinted FROM binding WHERE bound_by = 'outcome';

DROP TABLE binding;
ALTER TABLE binding_new RENAME TO binding;
CREATE INDEX binding_imprinted ON binding (repo_id, imprinted);
