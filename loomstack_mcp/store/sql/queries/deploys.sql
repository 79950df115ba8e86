-- :name insert
-- A deploy; nothing changes where its id is taken.
INSERT INTO deploy (id, repo_id, seq, environment, sha, called, kind, previous, how, who, decision, covers, is_cut, whole,
  deployed_at_ms, recorded_at_ms)
VALUES (:id, :repo_id, :seq, :environment, :sha, :called, :kind, :previous, :how, :who, :decision, :covers, :is_cut,
  :whole, :deployed_at_ms, :recorded_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name confirm
-- What was let through was deployed.
UPDATE deploy SET called = :called, how = :how, who = :who, deployed_at_ms = :deployed_at_ms WHERE id = :id

-- :name decide
-- It was let through again, by a newer decision.
UPDATE deploy SET decision = :decision WHERE id = :id

-- :name keep_commits
-- Commits that came with it.
INSERT INTO deploy_commit (repo_id, sha, deploy_id, place)
SELECT :repo_id, s.value, :deploy_id, :place + CAST(s.key AS BIGINT) FROM json_each(:shas) AS s WHERE true
ON CONFLICT (repo_id, sha, deploy_id) DO NOTHING

-- :name complete
-- All of its commits are kept.
UPDATE deploy SET whole = 1 WHERE id = :id

-- :name get
-- One deploy.
SELECT id, repo_id, seq, environment, sha, called, kind, previous, how, who, decision, covers, is_cut, whole,
  deployed_at_ms, recorded_at_ms
FROM deploy WHERE id = :id

-- :name called
-- The deploys of a repo that CI, or a tag, calls so, newest first.
SELECT id, repo_id, seq, environment, sha, called, kind, previous, how, who, decision, covers, is_cut, whole,
  deployed_at_ms, recorded_at_ms
FROM deploy WHERE repo_id = :repo_id AND called = :called AND called <> '' ORDER BY seq DESC LIMIT :limit

-- :name called_so
-- Which of these names deploys of a repo have.
SELECT DISTINCT d.environment, d.called, d.sha FROM json_each(:tags) AS n CROSS JOIN deploy AS d
WHERE d.repo_id = :repo_id AND d.called = n.value AND d.called <> ''

-- :name latest
-- The last deploys of a repo, newest first.
SELECT id, repo_id, seq, environment, sha, called, kind, previous, how, who, decision, covers, is_cut, whole,
  deployed_at_ms, recorded_at_ms
FROM deploy WHERE repo_id = :repo_id ORDER BY seq DESC LIMIT :limit

-- :name latest_in
-- The last deploys of a repo to an environment, newest first.
SELECT id, repo_id, seq, environment, sha, called, kind, previous, how, who, decision, covers, is_cut, whole,
  deployed_at_ms, recorded_at_ms
FROM deploy WHERE repo_id = :repo_id AND environment = :environment ORDER BY seq DESC LIMIT :limit

-- :name covering
-- The deploys that some commits came with, oldest first, each once.
SELECT d.id, d.repo_id, d.seq, d.environment, d.sha, d.called, d.kind, d.previous, d.how, d.who, d.decision, d.covers,
  d.is_cut, d.whole, d.deployed_at_ms, d.recorded_at_ms
FROM (
  SELECT DISTINCT c.deploy_id FROM json_each(:shas) AS s CROSS JOIN deploy_commit AS c
  WHERE c.repo_id = :repo_id AND c.sha = s.value
) AS f CROSS JOIN deploy AS d
WHERE d.id = f.deploy_id ORDER BY d.seq LIMIT :limit

-- :name rollbacks_of
-- Of some deploys, those of the same environment that later went back to what had run there before them, first to last.
SELECT d.id, r.id AS by_id FROM json_each(:ids) AS i CROSS JOIN deploy AS d CROSS JOIN deploy AS r
WHERE d.id = i.value AND r.repo_id = d.repo_id AND r.environment = d.environment AND r.kind = 'rollback'
  AND r.seq > d.seq AND EXISTS (
    SELECT 1 FROM deploy AS b
    WHERE b.repo_id = d.repo_id AND b.environment = d.environment AND b.sha = r.sha AND b.seq < d.seq
  )
ORDER BY d.seq, r.seq

-- :name commits_of
-- What came with a deploy, newest first.
SELECT sha FROM deploy_commit WHERE deploy_id = :id ORDER BY place LIMIT :limit
