-- For those who look at repos from outside: what goes on, whose what landed is, and what was consumed, as views; and what
-- pages and views look through, by indexes.

-- What ended and what landed lately, and conflicts of every state, newest first.
CREATE INDEX run_over ON run (repo_id, ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX conflict_found ON conflict (repo_id, found_at_ms);
CREATE INDEX attribution_landed ON attribution (repo_id, landed_at_ms);

-- All that `v_loop_health` counts.
CREATE INDEX run_health ON run (repo_id, loop, origin, state, status, started_at_ms, id);
CREATE INDEX outcome_health ON outcome (about_run, role);
CREATE INDEX outcome_rework ON outcome (about_run, rework) WHERE rework > 0;
CREATE INDEX outcome_made ON outcome (about_run) WHERE commits <> '[]';

DROP VIEW v_loop_health;
CREATE VIEW v_loop_health AS
SELECT r.repo_id AS repo, r.loop, COUNT(*) AS runs,
  COUNT(*) FILTER (WHERE r.state = 'live') AS live, COUNT(*) FILTER (WHERE r.state = 'lost') AS lost,
  COUNT(*) FILTER (WHERE r.status = 'done') AS done, COUNT(*) FILTER (WHERE r.status = 'abandoned') AS abandoned,
  CAST(SUM(o.attempts) AS BIGINT) AS attempts, CAST(COALESCE(SUM(o.rework), 0) AS BIGINT) AS rework_rounds,
  CAST(SUM(o.commits) AS BIGINT) AS outcomes_with_commits, utc(MAX(r.started_at_ms)) AS last_started_at
FROM run AS r
LEFT JOIN LATERAL (
  SELECT COUNT(*) FILTER (WHERE role NOT IN ('checker', 'reviewer', 'build', 'scan')) AS attempts,
    MAX(rework) AS rework, COUNT(*) FILTER (WHERE commits <> '[]') AS commits
  FROM outcome WHERE about_run = r.id
) AS o ON true
WHERE r.origin = 'asked'
GROUP BY r.repo_id, r.loop;

-- The runs that are not over, with what they hold, and how far they are; of many paths the first twenty.
CREATE VIEW v_live AS
SELECT r.id AS run, r.repo_id AS repo, r.loop, r.principal AS who, r.origin, r.goal,
  CASE WHEN r.expires_at_ms <= t.now_ms AND r.seen_at_ms <= t.now_ms - 3600000 THEN 'lost'
       WHEN r.expires_at_ms <= t.now_ms THEN 'lapsed'
       WHEN EXISTS (SELECT 1 FROM waiter AS w WHERE w.run_id = r.id AND w.place_until_ms > t.now_ms) THEN 'waiting'
       WHEN r.checks_run IS NOT NULL THEN 'checking'
       ELSE 'running' END AS state,
  r.checks_run, r.branch,
  (SELECT COUNT(*) FROM claim AS c WHERE c.run_id = r.id AND c.ended_at_ms IS NULL) AS claims,
  (SELECT CAST(COALESCE(json_agg(h.path), '[]') AS TEXT) FROM (
    SELECT p.value AS path FROM claim AS c CROSS JOIN json_each(c.patterns) AS p
    WHERE c.run_id = r.id AND c.ended_at_ms IS NULL ORDER BY c.origin, c.fence LIMIT 20
  ) AS h) AS paths,
  (SELECT COUNT(*) FROM conflict AS f WHERE f.run_id = r.id AND f.state = 'open') AS open_conflicts,
  (SELECT COALESCE(MAX(o.attempt), 0) FROM outcome AS o WHERE o.about_run = r.id) AS attempts,
  (SELECT COALESCE(MAX(o.rework), 0) FROM outcome AS o WHERE o.about_run = r.id) AS rework,
  (SELECT CAST(SUM(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens) AS BIGINT)
   FROM usage AS u WHERE u.run_id = r.id) AS tokens,
  (SELECT CASE WHEN SUM(u.unpriced) = 0 THEN CAST(SUM(u.cost_micro_usd) / 1000000.0 AS DOUBLE PRECISION) END
   FROM usage AS u WHERE u.run_id = r.id) AS cost_usd,
  utc(r.started_at_ms) AS started_at, utc(r.seen_at_ms) AS seen_at,
  (r.expires_at_ms - t.now_ms) / 1000 AS expires_in_s
FROM run AS r
CROSS JOIN (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms) AS t
WHERE r.state = 'live';

-- What landed, whose it is as far as that is known (`run` is NULL where it is nobody's), and where it was deployed.
CREATE VIEW v_trace AS
SELECT a.sha AS "commit", a.repo_id AS repo, a.title, a.author, r.id AS run, r.loop, r.principal AS who, r.goal,
  a.bound_by, a.confidence, a.flags,
  (SELECT CAST(COALESCE(json_agg(json_build_object('run', c.run_id, 'bound_by', c.bound_by, 'confidence', c.confidence)
    ORDER BY c.place), '[]') AS TEXT)
   FROM attribution_run AS c WHERE c.attribution = a.number) AS candidates,
  (SELECT CAST(COALESCE(json_agg(v.reverted), '[]') AS TEXT) FROM attribution_revert AS v
   WHERE v.attribution = a.number) AS reverts,
  (SELECT CAST(COALESCE(json_agg(b.sha), '[]') AS TEXT)
   FROM attribution_revert AS v JOIN attribution AS b ON b.number = v.attribution
   WHERE v.short = substr(a.sha, 1, 7) AND v.reverted = substr(a.sha, 1, length(v.reverted)) AND b.repo_id = a.repo_id)
    AS reverted_by,
  (SELECT CAST(COALESCE(json_agg(json_build_object('deploy', d.id, 'environment', d.environment, 'decision', d.decision)),
    '[]') AS TEXT)
   FROM deploy_commit AS e JOIN deploy AS d ON d.id = e.deploy_id WHERE e.repo_id = a.repo_id AND e.sha = a.sha)
    AS deploys,
  CASE WHEN a.landed_at_ms > 0 THEN utc(a.landed_at_ms) END AS landed_at
FROM attribution AS a LEFT JOIN run AS r ON r.id = a.run_id;

-- What runs consumed of each model; `cost_usd` is NULL where the price of some of it is not known.
CREATE VIEW v_usage AS
SELECT u.run_id AS run, r.repo_id AS repo, r.loop, r.principal AS who, u.model, u.requests, u.input_tokens,
  u.output_tokens, u.cache_read_tokens, u.cache_write_tokens,
  CASE WHEN u.unpriced = 0 THEN CAST(u.cost_micro_usd / 1000000.0 AS DOUBLE PRECISION) END AS cost_usd,
  utc(u.last_at_ms) AS last_at
FROM usage AS u JOIN run AS r ON r.id = u.run_id;
