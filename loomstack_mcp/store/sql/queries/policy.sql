-- :name insert
-- One decision; nothing changes where its id is taken.
INSERT INTO decision (id, repo_id, run_id, who, point, actions, subject, answer, reasons, policy, decided_at_ms)
VALUES (:id, :repo_id, :run_id, :who, :point, :actions, :subject, :answer, :reasons, :policy, :decided_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name evidence
-- Outcomes of checkers that name commits and passed, newest first.
SELECT o.id, o.commits, o.recorded_at_ms, r.loop, r.principal
FROM outcome AS o JOIN run AS r ON r.id = o.run_id
WHERE o.repo_id = :repo_id AND o.commits <> '[]' AND o.role = 'checker' AND o.status IN ('passed', 'done')
ORDER BY o.seq DESC LIMIT :limit

-- :name rework
-- How often the attempts of a run failed.
SELECT COALESCE(MAX(rework), 0) AS rework, COALESCE(MAX(attempt), 0) AS attempts FROM outcome WHERE about_run = :run_id
