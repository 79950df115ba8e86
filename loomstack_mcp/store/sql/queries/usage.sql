-- :name of_runs
-- What runs consumed of each model.
SELECT u.run_id, u.model, u.requests, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens,
  u.cost_micro_usd, u.unpriced, u.last_at_ms
FROM json_each(:ids) AS i CROSS JOIN usage AS u WHERE u.run_id = i.value ORDER BY u.run_id, u.model

-- :name permissions_of_runs
-- How often tools of runs were let do what they were asked for.
SELECT p.run_id, p.source, p.accepted, p.rejected
FROM json_each(:ids) AS i CROSS JOIN usage_permission AS p WHERE p.run_id = i.value ORDER BY p.run_id, p.source

-- :name of_family
-- What a run and those that were started in it consumed, at whatever depth.
WITH RECURSIVE down (id) AS (
  SELECT id FROM run WHERE id = :run_id
  UNION
  SELECT r.id FROM down JOIN run AS r ON r.parent_id = down.id
)
SELECT u.run_id, u.model, u.requests, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens,
  u.cost_micro_usd, u.unpriced, u.last_at_ms
FROM down CROSS JOIN usage AS u WHERE u.run_id = down.id

-- :name take
-- Entries of one person; those that came before stay as they are. Returns those that are new.
INSERT INTO usage_entry (key, kind, principal, session, agent, named_run, at_ms, model, input_tokens, output_tokens,
  cache_read_tokens, cache_write_tokens, cost_micro_usd, source, accepted, taken_at_ms)
SELECT json_extract(e.value, '$[0]'), json_extract(e.value, '$[1]'), :principal, json_extract(e.value, '$[2]'),
  json_extract(e.value, '$[3]'), json_extract(e.value, '$[4]'), :now_ms - CAST(json_extract(e.value, '$[5]') AS BIGINT),
  json_extract(e.value, '$[6]'), CAST(json_extract(e.value, '$[7]') AS BIGINT),
  CAST(json_extract(e.value, '$[8]') AS BIGINT), CAST(json_extract(e.value, '$[9]') AS BIGINT),
  CAST(json_extract(e.value, '$[10]') AS BIGINT), CAST(json_extract(e.value, '$[11]') AS BIGINT),
  json_extract(e.value, '$[12]'), CAST(json_extract(e.value, '$[13]') AS BIGINT), :now_ms
FROM json_each(:entries) AS e WHERE true
ON CONFLICT (key) DO NOTHING

-- :name counted
-- How many entries there are of each session, and how many of anybody's of one person have no run, up to a number.
SELECT s.value AS session, (
  SELECT COUNT(*) FROM (
    SELECT 1 FROM usage_entry AS e WHERE e.principal = :principal AND e.session = s.value LIMIT :session_max
  ) AS own
) AS entries, (
  SELECT COUNT(*) FROM (
    SELECT 1 FROM usage_entry AS e WHERE e.principal = :principal AND e.run_id = '' LIMIT :unbound_max
  ) AS loose
) AS unbound
FROM json_each(:sessions) AS s

-- :name unbound
-- Some of the entries of sessions that have no run yet, the newest first: some may wait for one in vain.
SELECT e.key, e.kind, e.session, e.agent, e.named_run, e.at_ms, e.model, e.input_tokens, e.output_tokens,
  e.cache_read_tokens, e.cache_write_tokens, e.cost_micro_usd, e.source, e.accepted
FROM json_each(:sessions) AS s CROSS JOIN usage_entry AS e
WHERE e.principal = :principal AND e.session = s.value AND e.run_id = '' ORDER BY e.at_ms DESC, e.key LIMIT :limit

-- :name runs_of_sessions
-- The last runs of sessions, whatever became of them.
SELECT r.id, r.repo_id, r.session, r.agent, r.origin, r.started_at_ms, r.ended_at_ms, r.seq
FROM json_each(:sessions) AS s CROSS JOIN run AS r
WHERE r.principal = :principal AND r.session = s.value ORDER BY r.started_at_ms DESC LIMIT :limit

-- :name runs_of_agents
-- The same of the sessions whose sub-agents these are.
SELECT r.id, r.repo_id, r.agent AS session, '' AS agent, r.origin, r.started_at_ms, r.ended_at_ms, r.seq
FROM json_each(:agents) AS a CROSS JOIN run AS r
WHERE r.principal = :principal AND r.agent = a.value AND r.agent <> '' ORDER BY r.started_at_ms DESC LIMIT :limit

-- :name named
-- Runs of one person that were named.
SELECT r.id, r.repo_id FROM json_each(:ids) AS i CROSS JOIN run AS r WHERE r.id = i.value AND r.principal = :principal

-- :name bind
-- Whose entries are, unless that run is gone by now. Returns those that had no run until now.
UPDATE usage_entry SET run_id = :run_id WHERE key IN (SELECT value FROM json_each(:keys)) AND run_id = ''
  AND EXISTS (SELECT 1 FROM run AS r WHERE r.id = :run_id)
RETURNING key

-- :name add
-- More that a run consumed of a model.
INSERT INTO usage (run_id, model, requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
  cost_micro_usd, unpriced, last_at_ms)
VALUES (:run_id, :model, :requests, :input_tokens, :output_tokens, :cache_read_tokens, :cache_write_tokens,
  :cost_micro_usd, :unpriced, :last_at_ms)
ON CONFLICT (run_id, model) DO UPDATE SET requests = usage.requests + excluded.requests,
  input_tokens = usage.input_tokens + excluded.input_tokens,
  output_tokens = usage.output_tokens + excluded.output_tokens,
  cache_read_tokens = usage.cache_read_tokens + excluded.cache_read_tokens,
  cache_write_tokens = usage.cache_write_tokens + excluded.cache_write_tokens,
  cost_micro_usd = usage.cost_micro_usd + excluded.cost_micro_usd,
  unpriced = usage.unpriced + excluded.unpriced,
  last_at_ms = CASE WHEN usage.last_at_ms > excluded.last_at_ms THEN usage.last_at_ms ELSE excluded.last_at_ms END

-- :name add_permissions
-- More that tools of a run were let do.
INSERT INTO usage_permission (run_id, source, accepted, rejected) VALUES (:run_id, :source, :accepted, :rejected)
ON CONFLICT (run_id, source) DO UPDATE SET accepted = usage_permission.accepted + excluded.accepted,
  rejected = usage_permission.rejected + excluded.rejected

-- :name sweep
-- What is too old to come once more; some rows, so that nobody waits long for it.
DELETE FROM usage_entry WHERE key IN (
  SELECT key FROM usage_entry WHERE taken_at_ms <= :until_ms ORDER BY taken_at_ms, key LIMIT :limit
)
