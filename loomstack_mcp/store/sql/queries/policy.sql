-- :name insert
-- One decision; nothing changes where its id is taken.
INSERT INTO decision (id, repo_id, run_id, who, point, actions, subject, answer, reasons, policy, decided_at_ms)
VALUES (:id, :repo_id, :run_id, :who, :point, :actions, :subject, :answer, :reasons, :policy, :decided_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name evidence
-- What others than its makers recorded as passed about a commit, with checks that they counted; newest first. They may
-- have named it by its first digits.
SELECT o.role, o.recorded_at_ms, r.loop, r.principal
FROM outcome AS o JOIN run AS r ON r.id = o.run_id
WHERE o.role IN ('checker', 'reviewer', 'build', 'scan') AND o.status IN ('passed', 'done') AND o.passed > 0
AND o.about_run IN (
  SELECT b.run_id FROM binding AS b
  WHERE b.repo_id = :repo_id AND b.short = substr(:sha, 1, 7) AND b.sha = substr(:sha, 1, length(b.sha))
)
AND EXISTS (SELECT 1 FROM json_each(o.commits) AS c WHERE c.value = substr(:sha, 1, length(c.value)))
ORDER BY o.seq DESC

-- :name rework
-- How often the attempts of a run failed.
SELECT COALESCE(MAX(rework), 0) AS rework, COALESCE(MAX(attempt), 0) AS attempts FROM outcome WHERE about_run = :run_id

-- :name intents_since
-- Whether anything was said since an event that can change why a landed change was made, or who agreed that it goes. A
-- claim can where its run has landed something.
SELECT 1 FROM event AS e WHERE e.repo_id = :repo_id AND e.seq > :since AND (
  e.kind IN ('note.shared', 'outcome.recorded', 'conflict.ended', 'repo.joined', 'commit.made')
  OR (e.kind = 'claim.granted' AND EXISTS (
    SELECT 1 FROM outcome AS o WHERE o.about_run = e.run_id AND o.commits <> '[]'
  ))
) LIMIT 1
