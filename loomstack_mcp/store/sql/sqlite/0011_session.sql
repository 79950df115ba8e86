-- What a run is for: the work that an agent asked for, or all that its session does besides.
ALTER TABLE run ADD COLUMN origin TEXT NOT NULL DEFAULT 'asked' CHECK (origin IN ('asked', 'session'));

DROP VIEW v_runs;
CREATE VIEW v_runs AS
SELECT r.id AS run, r.repo_id AS repo, r.loop, r.goal, r.principal AS who,
  CASE WHEN r.state = 'live' AND r.expires_at_ms <= t.now_ms AND r.seen_at_ms <= t.now_ms - 3600000 THEN 'lost'
       WHEN r.state = 'live' AND r.expires_at_ms <= t.now_ms THEN 'lapsed'
       ELSE r.state END AS state,
  r.status, r.branch, r.worktree, r.paths, r.parent_id AS parent, r.checks_run, r.finding, r.key,
  r.session, r.agent, datetime(r.started_at_ms / 1000, 'unixepoch') AS started_at,
  datetime(r.ended_at_ms / 1000, 'unixepoch') AS ended_at,
  CASE WHEN r.state = 'live' THEN (r.expires_at_ms - t.now_ms) / 1000 END AS expires_in_s, r.origin
FROM run AS r
CROSS JOIN (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now_ms) AS t;

-- A session is no loop: its run would be the only one of that name.
DROP VIEW v_loop_health;
CREATE VIEW v_loop_health AS
SELECT r.repo_id AS repo, r.loop, COUNT(*) AS runs,
  SUM(r.state = 'live') AS live, SUM(r.state = 'lost') AS lost,
  SUM(r.status = 'done') AS done, SUM(r.status = 'abandoned') AS abandoned,
  COALESCE(SUM(o.attempts), 0) AS attempts, COALESCE(SUM(o.rework), 0) AS rework_rounds,
  COALESCE(SUM(o.commits), 0) AS outcomes_with_commits,
  datetime(MAX(r.started_at_ms) / 1000, 'unixepoch') AS last_started_at
FROM run AS r
LEFT JOIN (
  SELECT about_run, SUM(role NOT IN ('checker', 'reviewer', 'build', 'scan')) AS attempts, MAX(rework) AS rework,
    SUM(commits <> '[]') AS commits
  FROM outcome GROUP BY about_run
) AS o ON o.about_run = r.id
WHERE r.origin = 'asked'
GROUP BY r.repo_id, r.loop;
