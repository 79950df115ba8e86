-- :name by_identity
-- The repo that a name or a clone stands for.
SELECT r.id, r.seq, r.ignore_case
FROM repo_alias AS a JOIN repo AS r ON r.id = a.repo_id
WHERE a.identity = :identity

-- :name known
-- The repos that these names stand for.
SELECT a.identity, r.id, r.ignore_case
FROM json_each(:called) AS n CROSS JOIN repo_alias AS a CROSS JOIN repo AS r
WHERE a.identity = n.value AND r.id = a.repo_id

-- :name get
-- One repo.
SELECT id, seq, ignore_case FROM repo WHERE id = :repo_id

-- :name cursors
-- Where each repo is.
SELECT id, seq FROM repo ORDER BY id

-- :name hold
-- Its row is locked, before anything that is of it: whoever writes to both does it in this order.
UPDATE repo SET seq = seq WHERE id = :repo_id

-- :name filled
-- Up to where its ledger was filled.
SELECT filled FROM repo WHERE id = :repo_id

-- :name fill
-- Its ledger was filled up to there, where it has all of these commits as landed ones.
UPDATE repo SET filled = :mark WHERE id = :repo_id AND filled <> :mark AND NOT EXISTS (
  SELECT 1 FROM json_each(:shas) AS s WHERE NOT EXISTS (
    SELECT 1 FROM landed AS l
    WHERE l.repo_id = :repo_id AND l.sha = s.value AND l.whole = 1 AND l.is_trunk = 1 AND l.meaning = :meaning
  )
)

-- :name unfill
-- Its ledger forgot something, or all: it is filled up to nowhere.
UPDATE repo SET filled = '' WHERE id = :repo_id AND filled <> ''

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

-- :name next_seq@postgres
-- As above; nothing later in the repo is before this.
UPDATE repo SET seq = seq + 1, now_ms = GREATEST(now_ms, :now_ms) WHERE id = :repo_id RETURNING seq

-- :name ids
-- Every repo.
SELECT id FROM repo ORDER BY id

-- :name listed
-- Every repo with a name or a clone of it.
SELECT r.id, COALESCE(a.identity, '') AS identity
FROM repo AS r LEFT JOIN repo_alias AS a ON a.repo_id = r.id ORDER BY r.id, a.identity

-- :name rename
-- What stood for one repo stands for another.
UPDATE repo_alias SET repo_id = :repo_id WHERE repo_id = :former

-- :name move_runs
-- The runs of one repo are of another, behind its own. A key says no more that it is the same run.
UPDATE run SET repo_id = :repo_id, seq = seq + :shift, key = '' WHERE repo_id = :former

-- :name move_claims
-- Its claims, in their order.
UPDATE claim SET repo_id = :repo_id, fence = fence + :shift WHERE repo_id = :former

-- :name move_waiters
-- Its waiters.
UPDATE waiter SET repo_id = :repo_id, seq = seq + :shift WHERE repo_id = :former

-- :name move_notes
-- Its notes.
UPDATE note SET repo_id = :repo_id, seq = seq + :shift WHERE repo_id = :former

-- :name move_outcomes
-- Its outcomes.
UPDATE outcome SET repo_id = :repo_id, seq = seq + :shift WHERE repo_id = :former

-- :name move_events
-- Its log.
UPDATE event SET repo_id = :repo_id, seq = seq + :shift WHERE repo_id = :former

-- :name move_conflicts
-- Its conflicts.
UPDATE conflict SET repo_id = :repo_id, seq = seq + :shift WHERE repo_id = :former

-- :name move_decisions
-- Its decisions.
UPDATE decision SET repo_id = :repo_id WHERE repo_id = :former

-- :name move_approvals
-- What it asked of people.
UPDATE approval SET repo_id = :repo_id, seq = seq + :shift WHERE repo_id = :former

-- :name move_evidence
-- What was told of its commits.
UPDATE evidence SET repo_id = :repo_id, seq = seq + :shift WHERE repo_id = :former

-- :name move_deploys
-- What was deployed of it.
UPDATE deploy SET repo_id = :repo_id, seq = seq + :shift WHERE repo_id = :former

-- :name move_deploy_commits
-- Which commits came with that.
UPDATE deploy_commit SET repo_id = :repo_id WHERE repo_id = :former

-- :name move_bindings
-- Which of its runs made which commits, whose content is to be read again: each repo has a key of its own.
UPDATE binding SET repo_id = :repo_id, imprinted = 0 WHERE repo_id = :former

-- :name move_imprints
-- What its runs made, by the key of another repo, is no more than forgotten.
UPDATE imprint SET repo_id = :repo_id, meaning = 0 WHERE repo_id = :former

-- :name forget_landed
-- Its ledger, which is read from git again.
DELETE FROM landed WHERE repo_id = :repo_id

-- :name forget_landed_paths
-- Where its landed changes lay.
DELETE FROM path_key WHERE repo_id = :repo_id AND noun = 'change'

-- :name forget_attributions
-- Whose commits are, as far as the other repo knows that itself.
DELETE FROM attribution WHERE repo_id = :former
  AND EXISTS (SELECT 1 FROM attribution AS o WHERE o.repo_id = :repo_id AND o.sha = attribution.sha)

-- :name forget_attribution_lines
-- Which lines of its commits are whose, by the key of another repo.
DELETE FROM attribution_line WHERE attribution IN (SELECT number FROM attribution WHERE repo_id = :former)

-- :name move_attributions
-- Whose its commits are.
UPDATE attribution SET repo_id = :repo_id WHERE repo_id = :former

-- :name move_pulls
-- Which pull requests its runs named.
UPDATE pull SET repo_id = :repo_id WHERE repo_id = :former

-- :name move_sightings
-- Where its agents were seen to edit.
UPDATE sighting SET repo_id = :repo_id WHERE repo_id = :former

-- :name move_notices
-- What people are still to be told of another repo.
UPDATE notice SET repo_id = :repo_id WHERE repo_id = :former

-- :name move_expiries
-- When its notes leave the index of paths.
UPDATE note_expiry SET repo_id = :repo_id WHERE repo_id = :former

-- :name move_paths
-- Where the rest of it lies.
UPDATE path_key SET repo_id = :repo_id WHERE repo_id = :former

-- :name raise_seq
-- The next sequence number is behind what was moved.
UPDATE repo SET seq = seq + (SELECT f.seq FROM repo AS f WHERE f.id = :former) WHERE id = :repo_id

-- :name forget
-- A repo that holds nothing any more.
DELETE FROM repo WHERE id = :former
