-- :name runs
-- The runs of a repo that are at work, and those that ended since a while, each newest first. (That a
-- lease ends after 0 names the index of live runs.)
SELECT r.id, r.repo_id, r.parent_id, r.checks_run, r.loop, r.goal, r.key, r.finding, r.branch, r.worktree, r.paths,
  r.principal, r.session, r.agent, r.process, r.state, r.status, r.seq, r.ttl_ms, r.started_at_ms, r.ended_at_ms,
  r.origin,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  r.seen_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM (
  SELECT id, is_over, seq FROM (
    SELECT id, 0 AS is_over, seq FROM run
    WHERE repo_id = :repo_id AND state = 'live' AND expires_at_ms > 0
      AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END > :since_ms
    UNION ALL
    SELECT id, 1 AS is_over, seq FROM run
    WHERE repo_id = :repo_id AND ended_at_ms IS NOT NULL AND ended_at_ms > :since_ms
  ) AS each_one ORDER BY is_over, seq DESC LIMIT :limit
) AS s CROSS JOIN run AS r
WHERE r.id = s.id ORDER BY s.is_over, s.seq DESC

-- :name how_many
-- How many those are in all.
SELECT (
  SELECT COUNT(*) FROM run WHERE repo_id = :repo_id AND state = 'live' AND expires_at_ms > 0
    AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END > :since_ms
) + (
  SELECT COUNT(*) FROM run WHERE repo_id = :repo_id AND ended_at_ms IS NOT NULL AND ended_at_ms > :since_ms
) AS runs

-- :name claims
-- What some runs hold, and how much each of them: what was asked for first, as much of each run as is shown.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal, k.held,
  MIN(r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END, COALESCE(
    c.own_until_ms + CASE WHEN c.boot_id = :boot_id THEN 0 ELSE c.wall_ahead_ms + :lease_ahead_ms END,
    9223372036854775807)) AS expires_at_ms
FROM (
  SELECT o.id, ROW_NUMBER() OVER (PARTITION BY o.run_id ORDER BY o.origin, o.fence) AS place,
    COUNT(*) OVER (PARTITION BY o.run_id) AS held
  FROM json_each(:runs) AS i CROSS JOIN claim AS o
  WHERE o.run_id = i.value AND o.ended_at_ms IS NULL
) AS k CROSS JOIN claim AS c CROSS JOIN run AS r
WHERE k.place <= :limit AND c.id = k.id AND r.id = c.run_id ORDER BY k.place

-- :name waiters
-- What some runs were refused and keep a place in the queue for, in its order, and when that was.
SELECT w.id, w.repo_id, w.run_id, w.seq, w.mode, w.intent, w.patterns, r.loop, r.principal, e.at_ms,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  w.place_until_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS place_until_ms
FROM json_each(:runs) AS i CROSS JOIN run AS r CROSS JOIN waiter AS w
LEFT JOIN event AS e ON e.repo_id = w.repo_id AND e.seq = w.seq
WHERE r.id = i.value AND w.run_id = r.id AND r.state = 'live' AND w.place_until_ms
    + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END > :now_ms
ORDER BY w.seq LIMIT :limit

-- :name conflicts
-- The open conflicts of some runs, newest first.
SELECT c.id AS conflict, c.run_id, c.kind, c.verdict, c.with_run
FROM json_each(:runs) AS i CROSS JOIN conflict AS c
WHERE c.run_id = i.value AND c.state = 'open' ORDER BY c.seq DESC LIMIT :limit

-- :name events
-- The last events of a repo, newest first, without what they hold.
SELECT seq, at_ms, kind, run_id FROM event WHERE repo_id = :repo_id ORDER BY seq DESC LIMIT :limit

-- :name progress
-- How far some runs are: attempts, rounds of rework, and the last outcome about each.
SELECT o.about_run, o.role, o.status, o.passed, o.failed, k.attempts, k.rework
FROM (
  SELECT p.id, ROW_NUMBER() OVER (PARTITION BY p.about_run ORDER BY p.seq DESC) AS place,
    MAX(p.attempt) OVER (PARTITION BY p.about_run) AS attempts,
    MAX(p.rework) OVER (PARTITION BY p.about_run) AS rework
  FROM json_each(:runs) AS i CROSS JOIN outcome AS p
  WHERE p.about_run = i.value
) AS k CROSS JOIN outcome AS o
WHERE k.place = 1 AND o.id = k.id
