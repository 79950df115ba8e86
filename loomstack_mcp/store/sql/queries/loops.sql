-- :name figures
-- What came of the runs of each loop of a repo: of those at work, and of those that were over since a while; the loop that
-- started last first, and how many loops there are. Whose lease has ended was busy until then, whenever that was found out,
-- and is lost where it was silent for long, as `core.runs.is_lost` has it. (That a lease ends after 0 names the index of
-- live runs.)
SELECT s.loop, s.principal AS who, COUNT(*) AS runs,
  COUNT(CASE WHEN s.state = 'live' AND s.until_ms > :now_ms THEN 1 END) AS live,
  COUNT(CASE WHEN s.checks_run IS NULL AND s.status = 'done' THEN 1 END) AS done,
  COUNT(CASE WHEN s.checks_run IS NULL AND s.status = 'abandoned' THEN 1 END) AS abandoned,
  COUNT(CASE WHEN s.checks_run IS NULL AND s.status LIKE 'stopped by %' THEN 1 END) AS stopped,
  COUNT(CASE WHEN s.checks_run IS NULL AND (s.state = 'lost'
    OR s.state = 'live' AND s.until_ms <= :now_ms AND s.seen_ms <= :silent_since_ms) THEN 1 END) AS lost,
  COUNT(s.checks_run) AS checks, CAST(SUM(s.rework) AS BIGINT) AS rework,
  CAST(SUM(CASE WHEN s.state <> 'ended' AND s.until_ms < COALESCE(s.ended_at_ms, :now_ms) THEN s.until_ms
    ELSE COALESCE(s.ended_at_ms, :now_ms) END - s.started_at_ms) AS BIGINT) AS busy_ms,
  MAX(s.started_at_ms) AS last_started_at_ms, MAX(s.seq) AS last_seq, COUNT(*) OVER () AS loops
FROM (
  SELECT r.seq, r.loop, r.principal, r.state, r.status, r.started_at_ms, r.ended_at_ms, r.checks_run,
    r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS until_ms,
    r.seen_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS seen_ms,
    COALESCE((SELECT MAX(o.rework) FROM outcome AS o WHERE o.about_run = r.id), 0) AS rework
  FROM run AS r
  WHERE r.repo_id = :repo_id AND r.state = 'live' AND r.expires_at_ms > 0 AND r.origin = 'asked'
    AND r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END > :since_ms
  UNION ALL
  SELECT r.seq, r.loop, r.principal, r.state, r.status, r.started_at_ms, r.ended_at_ms, r.checks_run,
    r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS until_ms,
    0 AS seen_ms, COALESCE((SELECT MAX(o.rework) FROM outcome AS o WHERE o.about_run = r.id), 0) AS rework
  FROM run AS r
  WHERE r.repo_id = :repo_id AND r.ended_at_ms IS NOT NULL AND r.ended_at_ms > :since_ms AND r.origin = 'asked'
) AS s
GROUP BY s.loop, s.principal ORDER BY MAX(s.seq) DESC LIMIT :limit

-- :name days
-- How many of those runs started on each of the days since, by loop.
SELECT s.loop, s.principal AS who, s.day, COUNT(*) AS runs
FROM (
  SELECT loop, principal, (started_at_ms - :since_ms) / :day_ms AS day FROM run
  WHERE repo_id = :repo_id AND state = 'live' AND expires_at_ms > 0 AND origin = 'asked'
    AND started_at_ms >= :since_ms
  UNION ALL
  SELECT loop, principal, (started_at_ms - :since_ms) / :day_ms AS day FROM run
  WHERE repo_id = :repo_id AND ended_at_ms IS NOT NULL AND ended_at_ms > :since_ms AND origin = 'asked'
    AND started_at_ms >= :since_ms
) AS s
GROUP BY s.loop, s.principal, s.day

-- :name last_runs
-- Runs of a repo by the number with which each started.
SELECT r.id, r.seq FROM json_each(:seqs) AS s CROSS JOIN run AS r
WHERE r.repo_id = :repo_id AND r.seq = CAST(s.value AS BIGINT)

-- :name costs
-- What those runs consumed of models, by loop; NULL for a cost of which some is not known.
SELECT s.loop, s.principal AS who,
  CAST(SUM(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens) AS BIGINT) AS tokens,
  CASE WHEN SUM(u.unpriced) = 0 THEN CAST(SUM(u.cost_micro_usd) AS BIGINT) END AS cost_micro_usd
FROM (
  SELECT id, loop, principal FROM run
  WHERE repo_id = :repo_id AND state = 'live' AND expires_at_ms > 0 AND origin = 'asked'
    AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END > :since_ms
  UNION ALL
  SELECT id, loop, principal FROM run
  WHERE repo_id = :repo_id AND ended_at_ms IS NOT NULL AND ended_at_ms > :since_ms AND origin = 'asked'
) AS s CROSS JOIN usage AS u
WHERE u.run_id = s.id GROUP BY s.loop, s.principal

-- :name conflicts
-- How often the loops of a repo met in conflicts that were found since a while: as the one that caused it, and as the one
-- that suffered.
SELECT s.loop, s.principal AS who, s.is_cause, COUNT(*) AS times
FROM (
  SELECT r.loop, r.principal, 1 AS is_cause
  FROM conflict AS c CROSS JOIN run AS r
  WHERE c.repo_id = :repo_id AND c.found_at_ms > :since_ms AND r.id = c.run_id
  UNION ALL
  SELECT r.loop, r.principal, 0 AS is_cause
  FROM conflict AS c CROSS JOIN run AS r
  WHERE c.repo_id = :repo_id AND c.found_at_ms > :since_ms AND c.with_run <> '' AND r.id = c.with_run
) AS s
GROUP BY s.loop, s.principal, s.is_cause

-- :name reversals
-- How often what landed since a while took back what had landed, by whose each was; '' where that is nobody's.
SELECT COALESCE(m.loop, '') AS by_loop, COALESCE(m.principal, '') AS by_who, COALESCE(l.loop, '') AS of_loop,
  COALESCE(l.principal, '') AS of_who, COUNT(*) AS times
FROM attribution AS a CROSS JOIN attribution_revert AS v
CROSS JOIN attribution AS b LEFT JOIN run AS m ON m.id = a.run_id LEFT JOIN run AS l ON l.id = b.run_id
WHERE a.repo_id = :repo_id AND a.landed_at_ms > :since_ms AND v.attribution = a.number
  AND b.repo_id = a.repo_id AND b.sha >= v.reverted AND b.sha < v.reverted || 'g'
GROUP BY m.loop, m.principal, l.loop, l.principal
