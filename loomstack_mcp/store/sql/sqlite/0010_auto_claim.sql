-- What a session edits is held for it from the first edit of a file on, by a lease of the claim's own.

-- `own_until_ms` is the end of that lease, NULL where the claim was asked for and ends with its run's; as of a run, whose
-- clock it is of, and how far the wall clock was ahead of it. `worktree` is where the file is edited.
ALTER TABLE claim ADD COLUMN origin TEXT NOT NULL DEFAULT 'asked' CHECK (origin IN ('asked', 'auto'));
ALTER TABLE claim ADD COLUMN own_until_ms INTEGER;
ALTER TABLE claim ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';
ALTER TABLE claim ADD COLUMN wall_ahead_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE claim ADD COLUMN worktree TEXT NOT NULL DEFAULT '';
DROP INDEX claim_run;
CREATE INDEX claim_run ON claim (run_id, origin, ttl_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX claim_auto ON claim (repo_id, own_until_ms) WHERE ended_at_ms IS NULL AND origin = 'auto';

-- What becomes of an edit in a worktree that nobody holds; '' where a hook did not look yet, or a variable says it.
ALTER TABLE sighting ADD COLUMN claim_edits TEXT NOT NULL DEFAULT '';

DROP VIEW v_claims;
CREATE VIEW v_claims AS
SELECT c.id AS claim, c.repo_id AS repo, c.run_id AS run, r.loop, r.principal AS who, c.mode, c.intent,
  c.patterns AS paths, c.fence,
  CASE WHEN c.ended_at_ms IS NOT NULL THEN c.ended_how
       WHEN MIN(r.expires_at_ms, COALESCE(c.own_until_ms, r.expires_at_ms)) <= t.now_ms THEN 'lapsed' ELSE 'held' END
    AS state,
  datetime(c.granted_at_ms / 1000, 'unixepoch') AS granted_at,
  datetime(c.ended_at_ms / 1000, 'unixepoch') AS ended_at,
  CASE WHEN c.ended_at_ms IS NULL
       THEN (MIN(r.expires_at_ms, COALESCE(c.own_until_ms, r.expires_at_ms)) - t.now_ms) / 1000 END AS expires_in_s,
  c.origin
FROM claim AS c JOIN run AS r ON r.id = c.run_id
CROSS JOIN (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms) AS t;
