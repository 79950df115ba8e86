-- :name of_session
-- The live runs of a session: where, whose and what for each is, and whether more than half of its lease is left.
SELECT r.id, r.agent, r.origin, r.worktree,
  r.boot_id = :boot_id AND r.expires_at_ms - r.ttl_ms / 2 > b.base_ms + :boot_ms AS is_fresh
FROM run AS r JOIN boot AS b ON b.boot_id = :boot_id
WHERE r.principal = :principal AND r.session = :session AND r.state = 'live'
ORDER BY r.started_at_ms DESC, r.seq DESC LIMIT 20

-- :name edited
-- Whether anything is held for the edits of anybody.
SELECT 1 FROM repo AS o CROSS JOIN claim AS c
WHERE c.repo_id = o.id AND c.origin = 'auto' AND c.ended_at_ms IS NULL LIMIT 1
