-- :name by_identity
-- The repo that a name or a clone stands for.
SELECT r.id, r.seq, r.ignore_case
FROM repo_alias AS a JOIN repo AS r ON r.id = a.repo_id
WHERE a.identity = :identity

-- :name get
-- One repo.
SELECT id, seq, ignore_case FROM repo WHERE id = :repo_id

-- :name insert
-- A repo seen for the first time.
INSERT INTO repo (id, ignore_case, created_at_ms) VALUES (:repo_id, :ignore_case, :now_ms)
ON CONFLICT (id) DO NOTHING

-- :name name
-- Another name, or another clone, of a repo.
INSERT INTO repo_alias (identity, repo_id) VALUES (:identity, :repo_id)
ON CONFLICT (identity) DO UPDATE SET repo_id = excluded.repo_id

-- :name also
-- A name that clones of a repo may have besides, where it is not taken.
INSERT INTO repo_alias (identity, repo_id) VALUES (:identity, :repo_id)
ON CONFLICT (identity) DO NOTHING

-- :name names
-- All that a repo is known by.
SELECT identity FROM repo_alias WHERE repo_id = :repo_id

-- :name fold
-- From now on letter case tells no two paths of this repo apart.
UPDATE repo SET ignore_case = 1 WHERE id = :repo_id

-- :name next_seq
-- Take the next sequence number; the repo's lock is held.
UPDATE repo SET seq = seq + 1 WHERE id = :repo_id RETURNING seq

-- :name ids
-- Every repo.
SELECT id FROM repo ORDER BY id
