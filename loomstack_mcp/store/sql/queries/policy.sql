-- :name insert
-- One decision; nothing changes where its id is taken.
INSERT INTO decision (id, repo_id, run_id, who, point, actions, subject, answer, reasons, policy, decided_at_ms,
  about_run, head)
VALUES (:id, :repo_id, :run_id, :who, :point, :actions, :subject, :answer, :reasons, :policy, :decided_at_ms,
  :about_run, :head)
ON CONFLICT (id) DO NOTHING

-- :name rework
-- How often the attempts of a run failed.
SELECT COALESCE(MAX(rework), 0) AS rework, COALESCE(MAX(attempt), 0) AS attempts FROM outcome WHERE about_run = :run_id

-- :name intents_since
-- Whether anything was said since an event that can change why a landed change was made, or who agreed that it goes. A
-- claim can where its run has landed something.
SELECT 1 FROM event AS e WHERE e.repo_id = :repo_id AND e.seq > :since AND (
  e.kind IN ('note.shared', 'outcome.recorded', 'conflict.ended', 'repo.joined', 'repo.copied', 'commit.made')
  OR (e.kind = 'claim.granted' AND EXISTS (
    SELECT 1 FROM outcome AS o WHERE o.about_run = e.run_id AND o.commits <> '[]'
  ))
) LIMIT 1
