-- :name insert
-- A hook saw an agent; where that is known, with another stamp perhaps.
INSERT INTO sighting (session, tool_use, agent, folder, repo_id, stamp, claim_edits, expires_at_ms)
VALUES (:session, :tool_use, :agent, :folder, :repo_id, :stamp, :claim_edits, :expires_at_ms)
ON CONFLICT (session, tool_use, agent, folder) DO UPDATE SET stamp = excluded.stamp, repo_id = excluded.repo_id,
  claim_edits = excluded.claim_edits

-- :name known
-- Whether this was seen of an agent.
SELECT 1 AS found FROM sighting
WHERE session = :session AND tool_use = :tool_use AND agent = :agent AND folder = :folder

-- :name call
-- Who makes a call, and from where.
SELECT session, agent, folder FROM sighting WHERE session = :session AND tool_use = :tool_use AND tool_use <> ''

-- :name call_of_process
-- The same of a session that goes on in the process of another one, which its client left for it.
SELECT s.session, s.agent, s.folder FROM run AS r JOIN sighting AS s ON s.session = r.session
WHERE r.principal = :principal AND r.state = 'live' AND r.origin = 'session' AND r.process = :process
  AND s.tool_use = :tool_use AND s.tool_use <> ''
LIMIT 1

-- :name call_of_tool
-- The same by the call's id alone, where all that is kept is one person's.
SELECT session, agent, folder FROM sighting WHERE tool_use = :tool_use AND tool_use <> '' LIMIT 1

-- :name edits
-- The worktrees that a session's agents edited and nobody looked at since, oldest first.
SELECT agent, folder, stamp, claim_edits FROM sighting WHERE session = :session AND tool_use = '' AND repo_id = :repo_id
ORDER BY expires_at_ms, folder

-- :name forget
-- A worktree was looked at, for an agent or for every one of the session.
DELETE FROM sighting WHERE session = :session AND tool_use = '' AND folder = :folder
  AND (agent = :agent OR :every_agent = 1)

-- :name sweep
-- Calls are over soon, and sessions one day.
DELETE FROM sighting WHERE expires_at_ms <= :now_ms

-- :name sweep@postgres
-- As above; nobody waits for somebody else who does the same.
DELETE FROM sighting WHERE (session, tool_use, agent, folder) IN (
  SELECT session, tool_use, agent, folder FROM sighting WHERE expires_at_ms <= :now_ms FOR UPDATE SKIP LOCKED
)
