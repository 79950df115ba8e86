-- :name insert
-- What came of an attempt; nothing changes where its id is taken.
INSERT INTO outcome (id, repo_id, run_id, about_run, seq, role, status, summary, passed, failed, failing, tried,
  finding, commits, links, attempt, rework, next_action, recorded_at_ms)
VALUES (:id, :repo_id, :run_id, :about_run, :seq, :role, :status, :summary, :passed, :failed, :failing, :tried,
  :finding, :commits, :links, :attempt, :rework, :next_action, :recorded_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name about
-- What was recorded about a run, oldest first.
SELECT id, repo_id, run_id, about_run, seq, role, status, summary, passed, failed, failing, tried, finding, commits,
  links, attempt, rework, next_action, recorded_at_ms
FROM outcome WHERE about_run = :about_run ORDER BY seq

-- :name of_runs
-- What was recorded about some runs, oldest first.
SELECT id, repo_id, run_id, about_run, seq, role, status, summary, passed, failed, failing, tried, finding, commits,
  links, attempt, rework, next_action, recorded_at_ms
FROM outcome WHERE about_run IN (SELECT value FROM json_each(:run_ids)) ORDER BY seq

-- :name landed
-- The last outcomes of a repo that name commits, newest first.
SELECT id, repo_id, run_id, about_run, seq, role, status, summary, passed, failed, failing, tried, finding, commits,
  links, attempt, rework, next_action, recorded_at_ms
FROM outcome WHERE repo_id = :repo_id AND commits <> '[]' ORDER BY seq DESC LIMIT :limit

-- :name landed_since
-- The outcomes of a repo that name commits and were recorded after a cursor, oldest first.
SELECT id, repo_id, run_id, about_run, seq, role, status, summary, passed, failed, failing, tried, finding, commits,
  links, attempt, rework, next_action, recorded_at_ms
FROM outcome WHERE repo_id = :repo_id AND seq > :since AND commits <> '[]' ORDER BY seq LIMIT :limit
