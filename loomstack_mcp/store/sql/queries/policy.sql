-- :name insert
-- One decision; nothing changes where its id is taken.
INSERT INTO decision (id, repo_id, run_id, who, point, actions, subject, answer, reasons, policy, decided_at_ms)
VALUES (:id, :repo_id, :run_id, :who, :point, :actions, :subject, :answer, :reasons, :policy, :decided_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name evidence
-- What checkers recorded as passed about a commit, which they may have named by its first digits; newest first.
SELECT o.recorded_at_ms, r.loop, r.principal
FROM outcome AS o JOIN run AS r ON r.id = o.run_id
WHERE o.role = 'checker' AND o.status IN ('passed', 'done')
AND o.about_run IN (
  SELECT b.run_id FROM binding AS b
  WHERE b.repo_id = :repo_id AND b.short = substr(:sha, 1, 7) AND b.sha = substr(:sha, 1, length(b.sha))
)
AND EXISTS (SELECT 1 FROM json_each(o.commits) AS c WHERE c.value = substr(:sha, 1, length(c.value)))
ORDER BY o.seq DESC

-- :name rework
-- How often the attempts of a run failed.
SELECT COALESCE(MAX(rework), 0) AS rework, COALESCE(MAX(attempt), 0) AS attempts FROM outcome WHERE about_run = :run_id
