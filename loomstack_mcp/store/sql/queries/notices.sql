-- :name insert
-- Something that people should hear outside the terminal.
INSERT INTO notice (id, repo_id, kind, about, run_id, text, made_at_ms, due_at_ms)
VALUES (:id, :repo_id, :kind, :about, :run_id, :text, :now_ms, :now_ms)
ON CONFLICT (id) DO NOTHING

-- :name drop_old
-- What nobody could be told in all that time.
DELETE FROM notice WHERE made_at_ms < :since_ms

-- :name drop_old@postgres
-- As above; nobody waits for somebody else who does the same.
DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE made_at_ms < :since_ms FOR UPDATE SKIP LOCKED)

-- :name due
-- Whether somebody should try to send now.
SELECT 1 FROM notice WHERE due_at_ms <= :now_ms LIMIT 1

-- :name next
-- When the next one is due.
SELECT MIN(due_at_ms) AS due_at_ms FROM notice

-- :name take
-- The one that has been due longest; nobody else tries it until :until_ms.
UPDATE notice SET due_at_ms = :until_ms, tries = tries + 1
WHERE id = (SELECT id FROM notice WHERE due_at_ms <= :now_ms ORDER BY due_at_ms LIMIT 1)
RETURNING id, repo_id, kind, about, run_id, text, tries

-- :name take@postgres
-- As above; of several who come at once each takes another one.
UPDATE notice SET due_at_ms = :until_ms, tries = tries + 1
WHERE id = (
  SELECT id FROM notice WHERE due_at_ms <= :now_ms ORDER BY due_at_ms LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, repo_id, kind, about, run_id, text, tries

-- :name failed
-- It could not be sent.
UPDATE notice SET due_at_ms = :due_at_ms, answered = :answered WHERE id = :id

-- :name sent
-- It was sent.
DELETE FROM notice WHERE id = :id

-- :name settle
-- What these ask waits no longer.
DELETE FROM notice WHERE about = :about

-- :name unsent
-- How many wait after a try that failed, and what one of them was answered.
SELECT COUNT(*) AS count, MAX(answered) AS answered FROM notice WHERE answered <> ''
