-- :name held_by_ids
-- Which of these claims are still held, with the lease of their runs, in order of their grant.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM json_each(:ids) AS i CROSS JOIN claim AS c CROSS JOIN run AS r
WHERE c.id = i.value AND r.id = c.run_id AND c.ended_at_ms IS NULL ORDER BY c.fence

-- :name held_by_run
-- What a run holds, in order of its grants; whether it has something to hear, and whether anybody waits in its repo.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal,
  EXISTS (SELECT 1 FROM alert WHERE run_id = :run_id AND deliveries < 2) AS has_alerts,
  EXISTS (
    SELECT 1 FROM path_key WHERE repo_id = (SELECT repo_id FROM run WHERE id = :run_id) AND noun = 'waiter'
  ) AS is_awaited,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.run_id = :run_id AND c.ended_at_ms IS NULL ORDER BY c.fence

-- :name held
-- What is held in a repo, newest first.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.repo_id = :repo_id AND c.ended_at_ms IS NULL AND r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0
    ELSE r.wall_ahead_ms + :lease_ahead_ms END > :now_ms
  AND COALESCE(c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807) > :now_ms
ORDER BY c.fence DESC LIMIT :limit

-- :name of_run
-- Every claim a run ever had, in order of its grants.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.run_id = :run_id ORDER BY c.fence LIMIT :limit

-- :name asked_of_run
-- Every claim that a run ever asked for, in order of its grants.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.run_id = :run_id AND c.origin = 'asked' ORDER BY c.fence LIMIT :limit

-- :name get
-- One claim, held or ended.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.id = :id

-- :name met
-- What a request meets: of its repo, of its run, whether anything is told of its paths, and, as `paths.near` finds
-- them, the first claims and earlier requests there. No IN lists: each is a table that is made anew at each call, three
-- times the time of all the rest (SQLite 3.40, 2026-11).
SELECT r.ignore_case,
  (SELECT parent_id IS NOT NULL FROM run WHERE id = :run_id) AS is_child,
  (
    SELECT COALESCE(MAX(ttl_ms), 0) FROM claim WHERE run_id = :run_id AND origin = 'asked' AND ended_at_ms IS NULL
  ) AS longest_ms,
  EXISTS (SELECT 1 FROM claim WHERE id = :fresh_id) AS is_taken,
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

-- :name met@postgres
-- As above.
SELECT r.ignore_case,
  (SELECT parent_id IS NOT NULL FROM run WHERE id = :run_id) AS is_child,
  (
    SELECT COALESCE(MAX(ttl_ms), 0) FROM claim WHERE run_id = :run_id AND origin = 'asked' AND ended_at_ms IS NULL
  ) AS longest_ms,
  EXISTS (SELECT 1 FROM claim WHERE id = :fresh_id) AS is_taken,
  EXISTS (SELECT 1 FROM waiter WHERE run_id = :run_id) AS was_refused,
  EXISTS (SELECT 1 FROM alert WHERE run_id = :run_id AND deliveries < 2) AS has_alerts,
  EXISTS (
    SELECT 1 FROM json_each(:keys, '$.above') AS a CROSS JOIN path_key AS p
    WHERE p.repo_id IN (:repo_id, 'org') AND p.noun IN ('note', 'change') AND p.key = a.value
    UNION ALL
    SELECT 1 FROM json_each(:keys, '$.below') AS b CROSS JOIN path_key AS p
    WHERE p.repo_id IN (:repo_id, 'org') AND p.noun IN ('note', 'change')
      AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
    UNION ALL
    SELECT 1 FROM json_each(:keys, '$.below_with') AS b CROSS JOIN path_key AS p
    WHERE p.repo_id IN (:repo_id, 'org') AND p.noun IN ('note', 'change')
      AND p.extension = json_extract(b.value, '$[2]')
      AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
  ) AS is_told,
  (
    SELECT CAST(COALESCE(json_agg(json_build_array(f.noun, f.id, f.pattern)), '[]') AS TEXT) FROM (
      SELECT p.noun, p.id, p.pattern FROM json_each(:keys, '$.above') AS a CROSS JOIN path_key AS p
      WHERE p.repo_id = :repo_id AND p.noun IN ('claim', 'waiter') AND p.key = a.value
      UNION ALL
      SELECT p.noun, p.id, p.pattern FROM json_each(:keys, '$.below') AS b CROSS JOIN path_key AS p
      WHERE p.repo_id = :repo_id AND p.noun IN ('claim', 'waiter')
        AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
      UNION ALL
      SELECT p.noun, p.id, p.pattern FROM json_each(:keys, '$.below_with') AS b CROSS JOIN path_key AS p
      WHERE p.repo_id = :repo_id AND p.noun IN ('claim', 'waiter') AND p.extension = json_extract(b.value, '$[2]')
        AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
      LIMIT :limit
    ) AS f
  ) AS near
FROM repo AS r WHERE r.id = :repo_id

-- :name insert
-- A grant, under an id that was asked for together with what it meets.
INSERT INTO claim (id, repo_id, run_id, fence, mode, intent, patterns, ttl_ms, granted_at_ms, origin, own_until_ms,
  worktree, boot_id, wall_ahead_ms)
VALUES (:id, :repo_id, :run_id, :fence, :mode, :intent, :patterns, :ttl_ms, :granted_at_ms, :origin, :own_until_ms,
  :worktree, :boot_id, :wall_ahead_ms)

-- :name renew
-- The same paths were claimed again.
UPDATE claim SET intent = :intent, ttl_ms = :ttl_ms WHERE id = :id

-- :name edited
-- The file of an automatic claim is edited again: its lease is renewed where less than half of that is left, or where the
-- file is edited in another worktree now.
UPDATE claim SET own_until_ms = :now_ms + ttl_ms, worktree = :worktree, boot_id = :boot_id,
  wall_ahead_ms = :wall_ahead_ms
WHERE id = :id AND (boot_id <> :boot_id OR own_until_ms - :now_ms < ttl_ms / 2 OR worktree <> :worktree)

-- :name auto_of_worktree
-- What is held in a repo of files that somebody edits in a worktree, lapsed claims included.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal, c.own_until_ms AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.repo_id = :repo_id AND c.origin = 'auto' AND c.ended_at_ms IS NULL AND c.worktree = :worktree

-- :name of_worktree
-- What is held exclusively by whoever else works in a worktree of a repo, lapsed claims included.
SELECT c.patterns FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.repo_id = :repo_id AND c.mode = 'exclusive' AND c.ended_at_ms IS NULL
  AND CASE c.origin WHEN 'auto' THEN c.worktree ELSE r.worktree END = :worktree
  AND NOT (r.principal = :principal AND r.session = :session AND r.agent = :agent)

-- :name auto_of_runs
-- What is held of files that agents of some runs edit, lapsed claims included.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal, c.own_until_ms AS expires_at_ms
FROM json_each(:runs) AS i CROSS JOIN claim AS c CROSS JOIN run AS r
WHERE c.run_id = i.value AND r.id = c.run_id AND c.origin = 'auto' AND c.ended_at_ms IS NULL

-- :name auto_lapsed
-- Automatic claims of a repo whose lease ended and which nobody took, the longest over first.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal, c.own_until_ms AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.repo_id = :repo_id AND c.origin = 'auto' AND c.ended_at_ms IS NULL AND c.own_until_ms
    + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END <= :now_ms
ORDER BY c.own_until_ms LIMIT :limit

-- :name end
-- These are held no longer.
UPDATE claim SET ended_at_ms = :now_ms, ended_how = :how, ended_why = :why
WHERE id IN (SELECT value FROM json_each(:ids)) AND ended_at_ms IS NULL

-- :name same
-- The claim that a run asked for on exactly these patterns, and the longest lease that it asked for with its others.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal,
  (
    SELECT COALESCE(MAX(o.ttl_ms), 0) FROM claim AS o
    WHERE o.run_id = c.run_id AND o.origin = 'asked' AND o.ended_at_ms IS NULL AND o.id <> c.id
  ) AS others_ms,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.run_id = :run_id AND c.mode = :mode AND c.patterns = :patterns AND c.origin = 'asked'
  AND c.ended_at_ms IS NULL

-- :name held_since
-- What is held in a repo and was granted after a cursor, oldest first.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal, c.fence AS seq,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM claim AS c JOIN run AS r ON r.id = c.run_id
WHERE c.repo_id = :repo_id AND c.fence > :since AND c.ended_at_ms IS NULL
  AND r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END > :now_ms
  AND COALESCE(c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807) > :now_ms
ORDER BY c.fence LIMIT :limit

-- :name family
-- The runs whose claims do not stand in the way of an agent's edits: its own (`is_own`), those of its session's own
-- agent, those that were started without a session, which may be its own, and all that these descend from.
WITH RECURSIVE family (id, parent_id, is_own) AS (
  SELECT id, parent_id, CASE WHEN session = :session AND agent = :agent THEN 1 ELSE 0 END FROM run
  WHERE principal = :principal AND state = 'live' AND (session = '' OR (session = :session AND agent IN (:agent, '')))
  UNION
  SELECT r.id, r.parent_id, 0 FROM family JOIN run AS r ON r.id = family.parent_id
)
SELECT id, MAX(is_own) AS is_own FROM family GROUP BY id

-- :name related
-- Both at once: whose claims do not stand in the way of an agent's edits (`is_family`), and give way to it (`is_kin`).
WITH RECURSIVE family (id, parent_id, is_own) AS (
  SELECT id, parent_id, CASE WHEN session = :session AND agent = :agent THEN 1 ELSE 0 END FROM run
  WHERE principal = :principal AND state = 'live' AND (session = '' OR (session = :session AND agent IN (:agent, '')))
  UNION
  SELECT r.id, r.parent_id, 0 FROM family JOIN run AS r ON r.id = family.parent_id
),
kin (id) AS (
  SELECT id FROM run
  WHERE principal = :principal AND state = 'live'
    AND (:session = '' OR (session = :session AND :agent IN ('', agent)))
  UNION
  SELECT r.id FROM kin JOIN run AS r ON r.parent_id = kin.id WHERE r.state = 'live'
)
SELECT id, MAX(is_own) AS is_own, 1 AS is_family, 0 AS is_kin FROM family GROUP BY id
UNION ALL
SELECT id, 0, 0, 1 FROM kin

-- :name kin
-- The live runs whose automatic claims give way to an agent: its own, and those of the agents below it. Whoever comes
-- without a session may be any of its person's.
WITH RECURSIVE kin (id) AS (
  SELECT id FROM run
  WHERE principal = :principal AND state = 'live'
    AND (:session = '' OR (session = :session AND :agent IN ('', agent)))
  UNION
  SELECT r.id FROM kin JOIN run AS r ON r.parent_id = kin.id WHERE r.state = 'live'
)
SELECT id FROM kin
