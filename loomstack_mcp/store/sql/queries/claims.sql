-- :name held_by_ids
-- Which of these claims are still held, with the lease of their runs, in order of their grant.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, r.loop, r.principal,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms
FROM json_each(:ids) AS i CROSS JOIN claim AS c ON c.id = i.value CROSS JOIN run AS r ON r.id = c.run_id
WHERE c.ended_at_ms IS NULL ORDER BY c.fence

-- :name held_by_run
-- What a run holds, in order of its grants.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, r.loop, r.principal,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.run_id = :run_id AND c.ended_at_ms IS NULL ORDER BY c.fence

-- :name held
-- What is held in a repo, newest first.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, r.loop, r.principal,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.repo_id = :repo_id AND c.ended_at_ms IS NULL AND r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0
    ELSE r.wall_ahead_ms + :lease_ahead_ms END > :now_ms ORDER BY c.fence DESC LIMIT :limit

-- :name of_run
-- Every claim a run ever had, in order of its grants.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, r.loop, r.principal,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.run_id = :run_id ORDER BY c.fence LIMIT :limit

-- :name get
-- One claim, held or ended.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, r.loop, r.principal,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.id = :id

-- :name insert
-- A grant; nothing changes where its id is taken.
INSERT INTO claim (id, repo_id, run_id, fence, mode, intent, patterns, ttl_ms, granted_at_ms)
VALUES (:id, :repo_id, :run_id, :fence, :mode, :intent, :patterns, :ttl_ms, :granted_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name renew
-- The same paths were claimed again.
UPDATE claim SET intent = :intent, ttl_ms = :ttl_ms WHERE id = :id

-- :name end
-- These are held no longer.
UPDATE claim SET ended_at_ms = :now_ms, ended_how = :how
WHERE id IN (SELECT value FROM json_each(:ids)) AND ended_at_ms IS NULL

-- :name same
-- The claim that a run has on exactly these patterns.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, r.loop, r.principal,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.run_id = :run_id AND c.mode = :mode AND c.patterns = :patterns AND c.ended_at_ms IS NULL

-- :name longest
-- The longest lease that a run asked for with what it holds.
SELECT COALESCE(MAX(ttl_ms), 0) AS ttl_ms FROM claim WHERE run_id = :run_id AND ended_at_ms IS NULL

-- :name held_since
-- What is held in a repo and was granted after a cursor, oldest first.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, r.loop, r.principal, c.fence AS seq,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.repo_id = :repo_id AND c.fence > :since AND c.ended_at_ms IS NULL
  AND r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END > :now_ms
ORDER BY c.fence LIMIT :limit
