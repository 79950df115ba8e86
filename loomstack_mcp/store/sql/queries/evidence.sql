-- :name recorded
-- What others than its makers recorded as passed about a commit, with checks that they counted, or as failed. They
-- may have named it by its first digits.
SELECT o.seq, o.role, o.status <> 'failed' AS passed, o.recorded_at_ms AS at_ms, r.loop || '@' || r.principal AS who
FROM outcome AS o JOIN run AS r ON r.id = o.run_id
WHERE o.role IN ('checker', 'reviewer', 'build', 'scan')
AND ((o.status IN ('passed', 'done') AND o.passed > 0) OR o.status = 'failed')
AND o.about_run IN (
  SELECT b.run_id FROM binding AS b
  WHERE b.repo_id = :repo_id AND b.short = substr(:sha, 1, 7) AND b.sha = substr(:sha, 1, length(b.sha))
)
AND EXISTS (SELECT 1 FROM json_each(o.commits) AS c WHERE c.value = substr(:sha, 1, length(c.value)))

-- :name added
-- What CI or a person told of a commit.
SELECT seq, kind, passed, added_at_ms AS at_ms, who FROM evidence WHERE repo_id = :repo_id AND sha = :sha

-- :name insert
-- What is told of a commit; nothing changes where its id is taken.
INSERT INTO evidence (id, repo_id, seq, sha, kind, passed, who, link, added_at_ms)
VALUES (:id, :repo_id, :seq, :sha, :kind, :passed, :who, :link, :added_at_ms)
ON CONFLICT (id) DO NOTHING
