-- :name insert
-- Something a run should hear with its next answers.
INSERT INTO alert (run_id, seq, kind, about, text, who) VALUES (:run_id, :seq, :kind, :about, :text, :who)
ON CONFLICT (run_id, seq, about) DO NOTHING

-- :name due
-- What a run has not heard twice, oldest first.
SELECT seq, kind, about, text, who FROM alert
WHERE run_id = :run_id AND deliveries < 2 ORDER BY seq LIMIT :limit

-- :name delivered
-- These rode on an answer.
UPDATE alert SET deliveries = deliveries + 1
WHERE run_id = :run_id AND seq >= :first AND seq <= :last AND deliveries < 2

-- :name settle
-- What these said is known by now.
UPDATE alert SET deliveries = 2 WHERE run_id = :run_id AND about = :about
