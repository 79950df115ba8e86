-- :name of_worktree
-- What git last said of a worktree.
SELECT stamp, system, settings, identity, others FROM bearing WHERE folder = :folder

-- :name put
-- What git says of a worktree now.
INSERT INTO bearing (folder, stamp, system, settings, identity, others, expires_at_ms)
VALUES (:folder, :stamp, :system, :settings, :identity, :others, :expires_at_ms)
ON CONFLICT (folder) DO UPDATE SET stamp = excluded.stamp, system = excluded.system, settings = excluded.settings,
  identity = excluded.identity, others = excluded.others, expires_at_ms = excluded.expires_at_ms

-- :name end
-- Worktrees come and go.
DELETE FROM bearing WHERE expires_at_ms <= :now_ms

-- :name end@postgres
-- As above; nobody waits for somebody else who does the same.
DELETE FROM bearing WHERE (folder) IN (
  SELECT folder FROM bearing WHERE expires_at_ms <= :now_ms FOR UPDATE SKIP LOCKED
)
