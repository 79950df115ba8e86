-- :name get
-- A call by its id, and its answer where that was kept.
SELECT principal, method, digest, answer FROM once WHERE id = :id

-- :name begin
-- A call changes state; nothing changes where another attempt at it did before.
INSERT INTO once (id, principal, method, digest, expires_at_ms)
VALUES (:id, :principal, :method, :digest, :expires_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name answer
-- What it was answered.
UPDATE once SET answer = :answer WHERE id = :id

-- :name sweep
-- The oldest that nobody repeats any more; one row, so that those who sweep at the same time never wait in a circle.
DELETE FROM once WHERE id = (
  SELECT id FROM once WHERE expires_at_ms <= :now_ms ORDER BY expires_at_ms, id LIMIT 1
)
