-- :name judging
-- By what an agent's steps in a worktree were judged.
SELECT folder, stamp, is_plain, patterns FROM judging
WHERE session = :session AND agent = :agent AND folder = :folder

-- :name judge
-- From now on they are judged by this.
INSERT INTO judging (session, agent, folder, stamp, is_plain, patterns, expires_at_ms)
VALUES (:session, :agent, :folder, :stamp, :is_plain, :patterns, :expires_at_ms)
ON CONFLICT (session, agent, folder) DO UPDATE SET stamp = excluded.stamp, is_plain = excluded.is_plain,
  patterns = excluded.patterns, expires_at_ms = excluded.expires_at_ms

-- :name forget
-- What was found by other rules is to be judged again; what was told in these very words was told.
DELETE FROM judged WHERE session = :session AND agent = :agent AND folder = :folder AND step NOT LIKE 'told %'

-- :name forget_session
-- A run began or an outcome came, so that rules may say something else of each agent of its session.
DELETE FROM judging WHERE session IN (SELECT session FROM run WHERE id = :run_id)

-- :name allow
-- A step was found allowed, or a warning was given.
INSERT INTO judged (session, agent, folder, step, expires_at_ms)
VALUES (:session, :agent, :folder, :step, :expires_at_ms)
ON CONFLICT (session, agent, folder, step) DO UPDATE SET expires_at_ms = excluded.expires_at_ms

-- :name allowed
-- Whether it was.
SELECT 1 FROM judged WHERE session = :session AND agent = :agent AND folder = :folder AND step = :step

-- :name begin
-- A shell line begins.
INSERT INTO line (session, tool_use, agent, folder, began_at_ms, head, expires_at_ms)
VALUES (:session, :tool_use, :agent, :folder, :began_at_ms, :head, :expires_at_ms)
ON CONFLICT (session, tool_use) DO UPDATE SET began_at_ms = excluded.began_at_ms, head = excluded.head

-- :name line
-- A shell line that began.
SELECT folder, began_at_ms, head FROM line WHERE session = :session AND tool_use = :tool_use AND agent = :agent

-- :name end
-- It is over.
DELETE FROM line WHERE session = :session AND tool_use = :tool_use

-- :name sweep_judging
-- Sessions are over one day.
DELETE FROM judging WHERE expires_at_ms <= :now_ms

-- :name sweep_judging@postgres
-- As above; nobody waits for somebody else who does the same.
DELETE FROM judging WHERE (session, agent, folder) IN (
  SELECT session, agent, folder FROM judging WHERE expires_at_ms <= :now_ms FOR UPDATE SKIP LOCKED
)

-- :name sweep_judged
-- Sessions are over one day.
DELETE FROM judged WHERE expires_at_ms <= :now_ms

-- :name sweep_judged@postgres
-- As above; nobody waits for somebody else who does the same.
DELETE FROM judged WHERE (session, agent, folder, step) IN (
  SELECT session, agent, folder, step FROM judged WHERE expires_at_ms <= :now_ms FOR UPDATE SKIP LOCKED
)

-- :name sweep_lines
-- Lines are over, whether or not anybody said so.
DELETE FROM line WHERE expires_at_ms <= :now_ms

-- :name sweep_lines@postgres
-- As above; nobody waits for somebody else who does the same.
DELETE FROM line WHERE (session, tool_use) IN (
  SELECT session, tool_use FROM line WHERE expires_at_ms <= :now_ms FOR UPDATE SKIP LOCKED
)
