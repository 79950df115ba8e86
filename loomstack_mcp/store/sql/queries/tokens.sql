-- :name insert
-- A new token, of which only the hash is kept.
INSERT INTO token (id, hash, principal, role, repos, run_id, created_at_ms, created_by, expires_at_ms)
VALUES (:id, :hash, :principal, :role, :repos, :run_id, :created_at_ms, :created_by, :expires_at_ms)
ON CONFLICT (id) DO NOTHING

-- :name get
-- One token with its hash, which goes no further than the comparison.
SELECT id, hash, principal, role, repos, run_id, created_at_ms, created_by, expires_at_ms, used_at_ms,
  revoked_at_ms, revoked_by
FROM token WHERE id = :id

-- :name listed
-- Every token without its hash, the newest first.
SELECT id, principal, role, repos, run_id, created_at_ms, created_by, expires_at_ms, used_at_ms, revoked_at_ms,
  revoked_by
FROM token ORDER BY created_at_ms DESC, id

-- :name revoke
-- From now on it opens nothing.
UPDATE token SET revoked_at_ms = :revoked_at_ms, revoked_by = :revoked_by WHERE id = :id AND revoked_at_ms IS NULL

-- :name use_token
-- It was used; a later use that was written meanwhile stands.
UPDATE token SET used_at_ms = :used_at_ms WHERE id = :id AND used_at_ms < :used_at_ms

-- :name subject
-- Whom an identity provider's subject stands for.
SELECT subject, principal, repos FROM token_subject WHERE subject = :subject

-- :name subjects
-- All of them.
SELECT subject, principal, repos FROM token_subject ORDER BY subject

-- :name map_subject
-- A subject stands for a person from now on.
INSERT INTO token_subject (subject, principal, repos) VALUES (:subject, :principal, :repos)
ON CONFLICT (subject) DO UPDATE SET principal = excluded.principal, repos = excluded.repos

-- :name count_power
-- A use of power, or one more of the same within a minute.
INSERT INTO power (at_ms, verdict, what, who, token_id, about, count)
VALUES (:at_ms, :verdict, :what, :who, :token_id, :about, :count)
ON CONFLICT (at_ms, verdict, what, who, token_id, about) DO UPDATE SET count = power.count + excluded.count
RETURNING count

-- :name power_not_used
-- A grant that came to nothing.
UPDATE power SET count = count - 1
WHERE at_ms = :at_ms AND verdict = 'granted' AND what = :what AND who = :who AND token_id = :token_id AND about = :about

-- :name powers_never_used
-- Grants of which none came to anything.
DELETE FROM power WHERE at_ms = :at_ms AND count = 0

-- :name powers
-- The last uses of power, the newest first.
SELECT at_ms, verdict, what, who, token_id, about, count FROM power
ORDER BY at_ms DESC, verdict, what, who, token_id, about LIMIT :limit

-- :name forget_owner
-- Tokens of somebody whose name is erased open nothing, and say no more whose they were.
UPDATE token SET principal = :pseudonym, revoked_at_ms = COALESCE(revoked_at_ms, :now_ms) WHERE principal = :called

-- :name forget_maker
-- Nor who made them.
UPDATE token SET created_by = :pseudonym WHERE created_by = :called

-- :name forget_revoker
-- Nor who ended them.
UPDATE token SET revoked_by = :pseudonym WHERE revoked_by = :called

-- :name forget_subject
-- Whom an identity provider meant.
DELETE FROM token_subject WHERE principal = :called

-- :name forget_power
-- Uses of power stay, without the name.
UPDATE power SET who = :pseudonym WHERE who = :called

-- :name forget_about
-- Nor whose tokens they were about.
UPDATE power SET about = :pseudonym WHERE about LIKE '% for ' || :called || ', %' OR about LIKE '% of ' || :called
