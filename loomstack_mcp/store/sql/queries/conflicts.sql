-- :name insert
-- A conflict that was found; nothing changes where its id is taken.
INSERT INTO conflict (id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence,
  landed_at_ms, found_at_ms)
VALUES (:id, :repo_id, :run_id, :seq, :kind, :verdict, :sha, :title, :who, :with_run, :paths, :intent, :evidence,
  :landed_at_ms, :found_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name update
-- It is found again, and may look different by now.
UPDATE conflict SET kind = :kind, verdict = :verdict, paths = :paths, intent = :intent, evidence = :evidence
WHERE id = :id

-- :name of_run
-- The open conflicts of a run, oldest first.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how
FROM conflict WHERE run_id = :run_id AND state = 'open' ORDER BY seq

-- :name open
-- The open conflicts of a repo, newest first.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how
FROM conflict WHERE repo_id = :repo_id AND state = 'open' ORDER BY seq DESC LIMIT :limit

-- :name end
-- It is open no longer.
UPDATE conflict SET state = :state, how = :how, ended_at_ms = :now_ms WHERE id = :id
