-- :name run
-- Of which repo a run is.
SELECT repo_id FROM run WHERE id = :id

-- :name claim
-- Of which a claim is.
SELECT repo_id FROM claim WHERE id = :id

-- :name note
-- Of which a note is.
SELECT repo_id FROM note WHERE id = :id

-- :name out
-- Of which an outcome is.
SELECT repo_id FROM outcome WHERE id = :id

-- :name conf
-- Of which a conflict is.
SELECT repo_id FROM conflict WHERE id = :id

-- :name dec
-- Of which a decision is.
SELECT repo_id FROM decision WHERE id = :id

-- :name apr
-- Of which a question to people is.
SELECT repo_id FROM approval WHERE id = :id

-- :name evid
-- Of which a word on a commit is.
SELECT repo_id FROM evidence WHERE id = :id

-- :name dep
-- Of which a deploy is.
SELECT repo_id FROM deploy WHERE id = :id
