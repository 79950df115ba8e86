-- :name days
-- What the loops of a repo did, by the day on which their runs started: runs at work, and those that were over since.
SELECT s.loop, s.principal AS who, s.day, COUNT(*) AS runs,
  COUNT(CASE WHEN s.state = 'live' AND s.until_ms > :now_ms THEN 1 END) AS live,
  COUNT(CASE WHEN s.is_made = 1 AND s.status = 'done' THEN 1 END) AS done,
  COUNT(CASE WHEN s.is_made = 1 AND s.status = 'abandoned' THEN 1 END) AS abandoned,
  COUNT(CASE WHEN s.is_made = 1 AND s.status LIKE 'stopped by %' THEN 1 END) AS stopped,
  COUNT(CASE WHEN s.is_made = 1 AND s.state = 'lost' THEN 1 END) AS lost,
  COUNT(CASE WHEN s.is_made = 0 THEN 1 END) AS checks,
  CAST(SUM(s.rework) AS BIGINT) AS rework, CAST(SUM(s.over_at_ms - s.started_at_ms) AS BIGINT) AS busy_ms,
  MAX(s.started_at_ms) AS last_started_at_ms, MAX(s.seq) AS last_seq
FROM (
  SELECT r.seq, r.loop, r.principal, r.state, r.status, r.started_at_ms,
    CASE WHEN r.started_at_ms <= :since_ms THEN -1 ELSE (r.started_at_ms - :since_ms) / :day_ms END AS day,
    CASE WHEN r.checks_run IS NULL THEN 1 ELSE 0 END AS is_made, COALESCE(r.ended_at_ms, :now_ms) AS over_at_ms,
    r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS until_ms,
    COALESCE((SELECT MAX(o.rework) FROM outcome AS o WHERE o.about_run = r.id), 0) AS rework
  FROM (
    SELECT id FROM run WHERE repo_id = :repo_id AND state = 'live'
    UNION ALL
    SELECT id FROM run WHERE repo_id = :repo_id AND ended_at_ms IS NOT NULL AND ended_at_ms > :since_ms
  ) AS w CROSS JOIN run AS r
  WHERE r.id = w.id AND r.origin = 'asked'
) AS s
GROUP BY s.loop, s.principal, s.day

-- :name last_runs
-- Runs of a repo by the number with which each started.
SELECT r.id, r.seq FROM json_each(:seqs) AS s CROSS JOIN run AS r
WHERE r.repo_id = :repo_id AND r.seq = CAST(s.value AS BIGINT)

-- :name harms
-- How often the loops of a repo met in conflicts since a while: as the one that caused it, and as the one that suffered.
SELECT s.loop, s.principal AS who, s.is_cause, COUNT(*) AS conflicts,
  COUNT(CASE WHEN s.kind <> 'intent' THEN 1 END) AS reversals
FROM (
  SELECT r.loop, r.principal, 1 AS is_cause, c.kind
  FROM conflict AS c CROSS JOIN run AS r
  WHERE c.repo_id = :repo_id AND c.found_at_ms > :since_ms AND r.id = c.run_id
  UNION ALL
  SELECT r.loop, r.principal, 0 AS is_cause, c.kind
  FROM conflict AS c CROSS JOIN run AS r
  WHERE c.repo_id = :repo_id AND c.found_at_ms > :since_ms AND c.with_run <> '' AND r.id = c.with_run
) AS s
GROUP BY s.loop, s.principal, s.is_cause
