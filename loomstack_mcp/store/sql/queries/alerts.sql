-- :name insert
-- Something a run should hear with its next answers.
INSERT INTO alert (run_id, seq, kind, about, text, who) VALUES (:run_id, :seq, :kind, :about, :text, :who)
ON CONFLICT (run_id, seq, about) DO NOTHING

-- :name due
-- What a run has not heard twice: first that it must stop, last what others only say, each oldest first.
SELECT seq, kind, about, text, who FROM alert
WHERE run_id = :run_id AND deliveries < 2
ORDER BY CASE WHEN kind IN ('expired', 'conflict', 'revoked', 'stopped') THEN 0 WHEN kind = 'message' THEN 2 ELSE 1 END, seq, about
LIMIT :limit

-- :name due_to_agent
-- What the runs of an agent have heard fewer than :deliveries times, in the same order. Of its runs that are over, only
-- that a person stopped them.
SELECT a.run_id, a.seq, a.kind, a.about, a.text, a.who FROM run AS r CROSS JOIN alert AS a
WHERE a.run_id = r.id AND r.principal = :principal AND r.session = :session AND r.agent = :agent AND a.deliveries < 2
  AND a.deliveries < :deliveries AND (r.state = 'live' OR a.kind = 'stopped')
ORDER BY CASE WHEN kind IN ('expired', 'conflict', 'revoked', 'stopped') THEN 0 WHEN kind = 'message' THEN 2 ELSE 1 END,
  a.seq, a.about
LIMIT :limit

-- :name unheard_ends
-- That a person ended claims of an agent, of which it has not heard once.
SELECT a.run_id, a.seq, a.kind, a.about, a.text, a.who FROM run AS r CROSS JOIN alert AS a
WHERE a.run_id = r.id AND r.principal = :principal AND r.session = :session AND r.agent = :agent AND r.state = 'live'
  AND a.deliveries = 0 AND a.kind = 'revoked'
ORDER BY a.seq, a.about

-- :name session
-- The session of a run.
SELECT session FROM run WHERE id = :run_id

-- :name delivered
-- These rode on an answer. One change of state may have left several, of which not all did.
UPDATE alert SET deliveries = deliveries + 1
WHERE run_id = :run_id AND deliveries < 2 AND EXISTS (
  SELECT 1 FROM json_each(:heard) AS h
  WHERE CAST(json_extract(h.value, '$[0]') AS BIGINT) = alert.seq AND json_extract(h.value, '$[1]') = alert.about
)

-- :name delivered@postgres
-- As above. What somebody else is writing to now is heard once more.
UPDATE alert SET deliveries = deliveries + 1 WHERE (run_id, seq, about) IN (
  SELECT a.run_id, a.seq, a.about FROM json_each(:heard) AS h CROSS JOIN alert AS a
  WHERE a.run_id = :run_id AND a.deliveries < 2
    AND a.seq = CAST(json_extract(h.value, '$[0]') AS BIGINT) AND a.about = json_extract(h.value, '$[1]')
  FOR UPDATE OF a SKIP LOCKED
)

-- :name settle
-- What these said is known by now.
UPDATE alert SET deliveries = 2 WHERE run_id = :run_id AND about = :about
