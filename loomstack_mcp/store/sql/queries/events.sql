-- :name insert
-- One change of state.
INSERT INTO event (repo_id, seq, at_ms, kind, run_id, about, payload)
VALUES (:repo_id, :seq, :at_ms, :kind, :run_id, :about, :payload)

-- :name since
-- What happened in a repo after a cursor, oldest first.
SELECT repo_id, seq, at_ms, kind, run_id, about, payload FROM event
WHERE repo_id = :repo_id AND seq > :since ORDER BY seq LIMIT :limit

-- :name latest
-- The last events of a repo, newest first.
SELECT repo_id, seq, at_ms, kind, run_id, about, payload FROM event
WHERE repo_id = :repo_id ORDER BY seq DESC LIMIT :limit

-- :name reached
-- When a repo was at a cursor.
SELECT at_ms FROM event WHERE repo_id = :repo_id AND seq <= :since ORDER BY seq DESC LIMIT 1

-- :name reminded
-- Whether a session was told already of the very same that it left open.
SELECT 1 FROM event WHERE run_id = :run_id AND kind = 'session.reminded' AND json_extract(payload, '$.mark') = :mark
LIMIT 1
