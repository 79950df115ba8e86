-- :name get
-- One run.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE id = :id

-- :name by_key
-- The run that an idempotency key stands for.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE repo_id = :repo_id AND principal = :principal AND loop = :loop AND key = :key AND key <> ''

-- :name of_session
-- The live runs of an agent, or of all its session: those that were asked for, and then the others, each newest first.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE principal = :principal AND session = :session AND state = 'live' AND :agent IN ('*', agent)
ORDER BY origin <> 'asked', started_at_ms DESC, seq DESC LIMIT :limit

-- :name for_session
-- The run that stands for an agent of a session in a repo, whatever became of it; the last one.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE principal = :principal AND session = :session AND agent = :agent AND repo_id = :repo_id
  AND origin = 'session'
ORDER BY seq DESC LIMIT 1

-- :name live
-- The runs of a repo that are not over, newest first: all, or those of one origin.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE repo_id = :repo_id AND state = 'live' AND :origin IN ('', origin)
  AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END > :now_ms
ORDER BY run.expires_at_ms DESC LIMIT :limit

-- :name live_of_loop
-- The live runs of a loop, by the run's id or the loop's name; of everybody, or of one person.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE repo_id = :repo_id AND state = 'live'
  AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END > :now_ms
  AND (id = :called OR loop = :called) AND :principal IN ('', principal)
ORDER BY seq

-- :name loops_of_session
-- Every loop that a session ever asked to run as, to do more than to check.
SELECT DISTINCT loop FROM run
WHERE principal = :principal AND session = :session AND checks_run IS NULL AND origin = 'asked'

-- :name latest
-- The last runs of a repo in any state, newest first.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE repo_id = :repo_id ORDER BY seq DESC LIMIT :limit

-- :name by_ids
-- Some runs.
SELECT r.id, r.repo_id, r.parent_id, r.checks_run, r.loop, r.goal, r.key, r.finding, r.branch, r.worktree, r.paths,
  r.principal, r.session, r.agent, r.process, r.state, r.status, r.seq, r.ttl_ms, r.started_at_ms, r.ended_at_ms,
  r.origin,
  r.expires_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  r.seen_at_ms + CASE WHEN r.boot_id = :boot_id THEN 0 ELSE r.wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM json_each(:ids) AS i CROSS JOIN run AS r
WHERE r.id = i.value

-- :name lineage
-- A run and the runs it descends from.
WITH RECURSIVE up (id, parent_id) AS (
  SELECT id, parent_id FROM run WHERE id = :id
  UNION
  SELECT r.id, r.parent_id FROM up JOIN run AS r ON r.id = up.parent_id
)
SELECT id FROM up

-- :name descendants
-- A run and the live runs that were started in it, at whatever depth, oldest first.
WITH RECURSIVE down (id) AS (
  SELECT id FROM run WHERE id = :id
  UNION
  SELECT r.id FROM down JOIN run AS r ON r.parent_id = down.id
)
SELECT r.id FROM down JOIN run AS r ON r.id = down.id WHERE r.state = 'live' ORDER BY r.seq

-- :name stopped_of_session
-- The last run of an agent, or of any of its session, where a person stopped it.
SELECT id, status, ended_at_ms FROM (
  SELECT id, state, status, ended_at_ms FROM run
  WHERE principal = :principal AND session = :session AND :agent IN ('*', agent)
  ORDER BY started_at_ms DESC, seq DESC LIMIT 1
) AS newest WHERE state = 'ended' AND status LIKE 'stopped by %'

-- :name any_lapsed
-- Whether a live run of a repo, or an automatic claim that is held there, has lapsed.
SELECT EXISTS (
  SELECT 1 FROM run WHERE repo_id = :repo_id AND state = 'live' AND expires_at_ms <= :now_ms
) AS has_runs, EXISTS (
  SELECT 1 FROM claim WHERE repo_id = :repo_id AND origin = 'auto' AND ended_at_ms IS NULL AND own_until_ms
    + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END <= :now_ms
) AS has_claims

-- :name lapsed
-- Live runs whose lease has ended, oldest first.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE repo_id = :repo_id AND state = 'live' AND expires_at_ms <= :now_ms
  AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END <= :now_ms
ORDER BY run.expires_at_ms LIMIT :limit

-- :name insert
-- A run starts; nothing changes where its id is taken.
INSERT INTO run (id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal,
  session, agent, process, state, status, seq, ttl_ms, expires_at_ms, started_at_ms, seen_at_ms, ended_at_ms, boot_id,
  wall_ahead_ms, origin)
VALUES (:id, :repo_id, :parent_id, :checks_run, :loop, :goal, :key, :finding, :branch, :worktree, :paths, :principal,
  :session, :agent, :process, :state, :status, :seq, :ttl_ms, :expires_at_ms, :started_at_ms, :seen_at_ms,
  :ended_at_ms, :boot_id, :wall_ahead_ms, :origin)
ON CONFLICT (id) DO NOTHING

-- :name update
-- The parts of a run that change.
UPDATE run SET session = :session, agent = :agent, process = :process, state = :state, status = :status,
  ttl_ms = :ttl_ms, expires_at_ms = :expires_at_ms, seen_at_ms = :seen_at_ms, ended_at_ms = :ended_at_ms,
  boot_id = :boot_id, wall_ahead_ms = :wall_ahead_ms
WHERE id = :id

-- :name move
-- A session's run goes on in another worktree, or on another branch.
UPDATE run SET branch = :branch, worktree = :worktree, goal = :goal WHERE id = :id

-- :name for_sessions
-- The live runs that stand for a session and its sub-agents, in every repo: all, or those of one sub-agent.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE principal = :principal AND session = :session AND state = 'live' AND origin = 'session'
  AND :agent IN ('', agent)
ORDER BY seq DESC

-- :name use
-- A call from a run: where it runs, and its lease.
UPDATE run SET process = :process, ttl_ms = :ttl_ms, expires_at_ms = :expires_at_ms, seen_at_ms = :seen_at_ms,
  boot_id = :boot_id, wall_ahead_ms = :wall_ahead_ms
WHERE id = :id

-- :name shorten
-- The process of an agent is gone: no lease of its live runs in a repo outlasts :until_ms.
UPDATE run SET expires_at_ms = :until_ms, boot_id = :boot_id, wall_ahead_ms = :wall_ahead_ms,
  seen_at_ms = seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END
WHERE principal = :principal AND session = :session AND agent = :agent AND process = :process AND state = 'live'
  AND repo_id = :repo_id
  AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END > :until_ms

-- :name left
-- The same, however short their leases are: what an agent asked for goes on in its next process.
UPDATE run SET process = :left_process
WHERE principal = :principal AND session = :session AND agent = :agent AND process = :process AND state = 'live'
  AND repo_id = :repo_id AND origin = 'asked'

-- :name started_since
-- The live runs of a repo that started after a cursor, oldest first.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, process, state, status, seq, ttl_ms, started_at_ms, ended_at_ms, origin,
  expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS expires_at_ms,
  seen_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END AS seen_at_ms
FROM run WHERE repo_id = :repo_id AND seq > :since AND state = 'live'
  AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END > :now_ms
ORDER BY seq LIMIT :limit
