-- :name by_ids
-- Some refused requests, in order of their refusal.
SELECT w.id, w.repo_id, w.run_id, w.seq, w.mode, w.intent, w.patterns, r.loop, r.principal,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  w.place_until_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS place_until_ms
FROM json_each(:ids) AS i CROSS JOIN waiter AS w CROSS JOIN run AS r
WHERE w.id = i.value AND r.id = w.run_id AND r.state = 'live' ORDER BY w.seq

-- :name awaited
-- A repo in which anybody waits for paths, or is to be told that they are free.
SELECT r.ignore_case FROM repo AS r
WHERE r.id = :repo_id AND EXISTS (SELECT 1 FROM path_key AS p WHERE p.repo_id = r.id AND p.noun = 'waiter')

-- :name of_request
-- The earlier refusal of the very same request.
SELECT w.id, w.repo_id, w.run_id, w.seq, w.mode, w.intent, w.patterns, r.loop, r.principal,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  w.place_until_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS place_until_ms
FROM waiter AS w JOIN run AS r ON r.id = w.run_id
WHERE w.run_id = :run_id AND w.mode = :mode AND w.patterns = :patterns

-- :name of_run
-- What a run was refused, latest first.
SELECT id FROM waiter WHERE run_id = :run_id ORDER BY seq DESC

-- :name insert
-- A refusal; nothing changes where its id is taken.
INSERT INTO waiter (id, repo_id, run_id, seq, mode, intent, patterns, place_until_ms)
VALUES (:id, :repo_id, :run_id, :seq, :mode, :intent, :patterns, :place_until_ms)
ON CONFLICT (id) DO NOTHING

-- :name keep
-- A waiter called again: a lapsed place is queued for anew, behind those who came meanwhile.
UPDATE waiter SET seq = :seq, place_until_ms = :place_until_ms, intent = :intent WHERE id = :id

-- :name delete
-- Granted, told, or over.
DELETE FROM waiter WHERE id IN (SELECT value FROM json_each(:ids))
