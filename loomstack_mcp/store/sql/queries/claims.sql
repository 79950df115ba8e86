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

-- :name met
-- What a request meets: of its repo, of its run, whether anything is told of its paths, and, as `paths.near` finds
-- them, the first claims and earlier requests there. No IN lists: each is a table that is made anew at each call, three
-- times the time of all the rest (SQLite 3.40, 2026-11).
SELECT r.ignore_case,
  (SELECT parent_id IS NOT NULL FROM run WHERE id = :run_id) AS is_child,
  (SELECT COALESCE(MAX(ttl_ms), 0) FROM claim WHERE run_id = :run_id AND ended_at_ms IS NULL) AS longest_ms,
  EXISTS (SELECT 1 FROM waiter WHERE run_id = :run_id) AS was_refused,
  EXISTS (SELECT 1 FROM alert WHERE run_id = :run_id AND deliveries < 2) AS has_alerts,
  EXISTS (
    SELECT 1 FROM json_each(:keys, '$.above') AS a CROSS JOIN json_each('["note","change"]') AS n
    CROSS JOIN json_each(json_array(:repo_id, 'org')) AS w CROSS JOIN path_key AS p
    WHERE p.repo_id = w.value AND p.noun = n.value AND p.key = a.value
    UNION ALL
    SELECT 1 FROM json_each(:keys, '$.below') AS b CROSS JOIN json_each('["note","change"]') AS n
    CROSS JOIN json_each(json_array(:repo_id, 'org')) AS w CROSS JOIN path_key AS p
    WHERE p.repo_id = w.value AND p.noun = n.value
      AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
    UNION ALL
    SELECT 1 FROM json_each(:keys, '$.below_with') AS b CROSS JOIN json_each('["note","change"]') AS n
    CROSS JOIN json_each(json_array(:repo_id, 'org')) AS w CROSS JOIN path_key AS p
    WHERE p.repo_id = w.value AND p.noun = n.value AND p.extension = json_extract(b.value, '$[2]')
      AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
  ) AS is_told,
  (
    SELECT json_group_array(json_array(f.noun, f.id, f.pattern)) FROM (
      SELECT p.noun, p.id, p.pattern FROM json_each(:keys, '$.above') AS a
      CROSS JOIN json_each('["claim","waiter"]') AS n CROSS JOIN path_key AS p
      WHERE p.repo_id = :repo_id AND p.noun = n.value AND p.key = a.value
      UNION ALL
      SELECT p.noun, p.id, p.pattern FROM json_each(:keys, '$.below') AS b
      CROSS JOIN json_each('["claim","waiter"]') AS n CROSS JOIN path_key AS p
      WHERE p.repo_id = :repo_id AND p.noun = n.value
        AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
      UNION ALL
      SELECT p.noun, p.id, p.pattern FROM json_each(:keys, '$.below_with') AS b
      CROSS JOIN json_each('["claim","waiter"]') AS n CROSS JOIN path_key AS p
      WHERE p.repo_id = :repo_id AND p.noun = n.value AND p.extension = json_extract(b.value, '$[2]')
        AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
      LIMIT :limit
    ) AS f
  ) AS near
FROM repo AS r WHERE r.id = :repo_id

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
UPDATE claim SET ended_at_ms = :now_ms, ended_how = :how, ended_why = :why
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
