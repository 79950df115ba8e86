-- :name key
-- The key under which this store's lines are hashed.
SELECT key FROM line_key

-- :name hold_key
-- The same; it stays for as long as whoever asks goes on.
SELECT key FROM line_key WHERE "only" = 1

-- :name hold_key@postgres
-- As above.
SELECT key FROM line_key WHERE "only" = 1 FOR KEY SHARE

-- :name make_key
-- The first to need a key brings it.
INSERT INTO line_key ("only", key) VALUES (1, :key) ON CONFLICT ("only") DO NOTHING

-- :name drop_key
-- Another one is to take its place.
DELETE FROM line_key

-- :name known
-- The commits of a repo that the ledger has, with all of their files, as they are read now.
SELECT sha FROM landed WHERE repo_id = :repo_id AND whole = 1 AND meaning = :meaning

-- :name stale
-- Whether it has any of another meaning.
SELECT 1 FROM landed WHERE repo_id = :repo_id AND meaning <> :meaning LIMIT 1

-- :name authors
-- Whose changes they are.
SELECT DISTINCT account, author FROM landed WHERE repo_id = :repo_id

-- :name insert
-- A landed change whose files are to come; nothing changes where somebody has begun with it.
INSERT INTO landed (repo_id, sha, at_ms, made_at_ms, author, account, title, run_id, said, whole, meaning)
VALUES (:repo_id, :sha, :at_ms, :made_at_ms, :author, :account, :title, '', :said, 0, :meaning)
ON CONFLICT (repo_id, sha) DO NOTHING

-- :name begun
-- The number of a landed change, and whether all of its files are there.
SELECT number, whole FROM landed WHERE repo_id = :repo_id AND sha = :sha

-- :name begun@postgres
-- As above; whoever fills it or forgets it goes on alone.
SELECT number, whole FROM landed WHERE repo_id = :repo_id AND sha = :sha FOR UPDATE

-- :name names
-- The files of a landed change that are there so far.
SELECT path FROM landed_file WHERE landed = :number ORDER BY path

-- :name complete
-- All of its files are there; nothing changes where some were forgotten meanwhile.
UPDATE landed SET whole = 1, run_id = :run_id, bound_by = :bound_by, hints = :hints, is_trunk = :is_trunk
WHERE number = :number AND (SELECT COUNT(*) FROM landed_file WHERE landed = :number) = :files

-- :name insert_file
-- What it did to one file.
INSERT INTO landed_file (landed, repo_id, path, old_path, before, after, hunks)
VALUES (:landed, :repo_id, :path, :old_path, :before, :after, :hunks)
ON CONFLICT (landed, path) DO NOTHING

-- :name at_paths
-- What landed changes did to these files, under the name they have or had.
SELECT l.sha, f.path, f.old_path, f.before, f.after, f.hunks
FROM (
  SELECT f.landed, f.path FROM json_each(:paths) AS p CROSS JOIN landed_file AS f
  WHERE f.repo_id = :repo_id AND f.path = p.value
  UNION
  SELECT f.landed, f.path FROM json_each(:paths) AS p CROSS JOIN landed_file AS f
  WHERE f.repo_id = :repo_id AND f.old_path = p.value AND f.old_path <> f.path
) AS k
JOIN landed_file AS f ON f.landed = k.landed AND f.path = k.path
JOIN landed AS l ON l.number = f.landed
WHERE l.whole = 1

-- :name by_shas
-- Some landed changes, with the runs that made them.
SELECT l.sha, l.at_ms, l.author, l.account, l.title AS message, l.said, l.hints, COALESCE(r.id, '') AS run,
  COALESCE(r.loop, '') AS loop, COALESCE(r.principal, '') AS principal
FROM json_each(:shas) AS s CROSS JOIN landed AS l
LEFT JOIN run AS r ON r.id = l.run_id
WHERE l.repo_id = :repo_id AND l.sha = s.value AND l.whole = 1

-- :name paths_of
-- The files of some landed changes.
SELECT l.sha, f.path FROM json_each(:shas) AS s CROSS JOIN landed AS l
JOIN landed_file AS f ON f.landed = l.number
WHERE l.repo_id = :repo_id AND l.sha = s.value AND l.whole = 1

-- :name files_of
-- All that a landed change did.
SELECT f.path, f.old_path, f.before, f.after, f.hunks
FROM landed AS l JOIN landed_file AS f ON f.landed = l.number
WHERE l.repo_id = :repo_id AND l.sha = :sha AND l.whole = 1

-- :name size
-- How many files some landed changes have.
SELECT COUNT(*) AS files
FROM json_each(:shas) AS s CROSS JOIN landed AS l
JOIN landed_file AS f ON f.landed = l.number
WHERE l.repo_id = :repo_id AND l.sha = s.value

-- :name fade
-- What landed before the window, or means another thing by now, is about to be forgotten: from now on it is not known.
UPDATE landed SET whole = 0 WHERE repo_id = :repo_id AND (at_ms < :before_ms OR meaning <> :meaning)
RETURNING sha, run_id

-- :name fade@postgres
-- As above; all who write to several lock them in this order.
UPDATE landed SET whole = 0 WHERE number IN (
  SELECT number FROM landed WHERE repo_id = :repo_id AND (at_ms < :before_ms OR meaning <> :meaning)
  ORDER BY sha FOR UPDATE
)
RETURNING sha, run_id

-- :name forget_files
-- Some of its files are no longer remembered.
DELETE FROM landed_file WHERE (landed, path) IN (
  SELECT f.landed, f.path FROM landed AS l JOIN landed_file AS f ON f.landed = l.number
  WHERE l.repo_id = :repo_id AND l.whole = 0 AND (l.at_ms < :before_ms OR l.meaning <> :meaning) LIMIT :limit
)

-- :name forget_files@postgres
-- As above, but for those that somebody fills or forgets now.
DELETE FROM landed_file WHERE (landed, path) IN (
  SELECT f.landed, f.path FROM landed AS l JOIN landed_file AS f ON f.landed = l.number
  WHERE l.repo_id = :repo_id AND l.whole = 0 AND (l.at_ms < :before_ms OR l.meaning <> :meaning) LIMIT :limit
  FOR UPDATE SKIP LOCKED
)

-- :name forget
-- Nor is it itself.
DELETE FROM landed WHERE repo_id = :repo_id AND whole = 0 AND (at_ms < :before_ms OR meaning <> :meaning)
AND NOT EXISTS (SELECT 1 FROM landed_file WHERE landed = landed.number)

-- :name forget@postgres
-- As above, but for those that somebody fills or forgets now.
DELETE FROM landed WHERE number IN (
  SELECT l.number FROM landed AS l
  WHERE l.repo_id = :repo_id AND l.whole = 0 AND (l.at_ms < :before_ms OR l.meaning <> :meaning)
    AND NOT EXISTS (SELECT 1 FROM landed_file AS f WHERE f.landed = l.number)
  FOR UPDATE SKIP LOCKED
)

-- :name bind
-- A run made these commits, each at one of these times; what it says itself counts before what git's hook said, and
-- what was seen stays seen.
INSERT INTO binding (repo_id, short, sha, run_id, bound_by, seen, made_at_ms)
SELECT :repo_id, substr(s.value, 1, 7), s.value, :run_id, :bound_by, :seen, CAST(m.value AS BIGINT)
FROM json_each(:shas) AS s CROSS JOIN json_each(:made) AS m WHERE m.key = s.key
ON CONFLICT (repo_id, short, sha, run_id) DO UPDATE SET
  bound_by = CASE WHEN binding.bound_by = 'commit' THEN excluded.bound_by ELSE binding.bound_by END,
  seen = binding.seen | excluded.seen,
  made_at_ms = CASE WHEN binding.made_at_ms = 0 THEN excluded.made_at_ms ELSE binding.made_at_ms END

-- :name bound
-- The run that made a commit, by what was recorded last. Where nobody saw that it can have, it is none that started
-- after it, with ten minutes for clocks.
SELECT b.run_id FROM binding AS b JOIN run AS r ON r.id = b.run_id
WHERE (b.seen = 1 OR r.started_at_ms <= :made_at_ms + 600000) AND b.repo_id = :repo_id AND b.short = substr(:sha, 1, 7) AND b.sha = substr(:sha, 1, length(b.sha))
ORDER BY length(b.sha) DESC, r.seq DESC LIMIT 1

-- :name makers
-- All runs that said to have made a commit.
SELECT run_id FROM binding
WHERE repo_id = :repo_id AND short = substr(:sha, 1, 7) AND sha = substr(:sha, 1, length(sha))

-- :name makers_of_any
-- All runs that said to have made one of these commits.
SELECT DISTINCT b.run_id FROM json_each(:shas) AS s CROSS JOIN binding AS b
WHERE b.repo_id = :repo_id AND b.short = substr(s.value, 1, 7) AND b.sha = substr(s.value, 1, length(b.sha))

-- :name bind_landed
-- The same for those that have landed already.
UPDATE landed SET run_id = :run_id, bound_by = 'sha'
WHERE run_id = '' AND whole = 1
  AND (:seen = 1 OR made_at_ms + 600000 >= (SELECT started_at_ms FROM run WHERE id = :run_id)) AND number IN (
  SELECT l.number FROM json_each(:shas) AS s
  CROSS JOIN landed AS l
  WHERE l.repo_id = :repo_id AND l.sha >= s.value AND l.sha < s.value || 'g'
)
RETURNING sha, is_trunk

-- :name bind_landed@postgres
-- As above; all who write to several lock them in this order.
UPDATE landed SET run_id = :run_id, bound_by = 'sha' WHERE number IN (
  SELECT l.number FROM landed AS l
  WHERE l.repo_id = :repo_id AND l.run_id = '' AND l.whole = 1
    AND (:seen = 1 OR l.made_at_ms + 600000 >= (SELECT started_at_ms FROM run WHERE id = :run_id))
    AND EXISTS (SELECT 1 FROM json_each(:shas) AS s WHERE l.sha >= s.value AND l.sha < s.value || 'g')
  ORDER BY l.sha FOR UPDATE
)
RETURNING sha, is_trunk

-- :name aside
-- What landed elsewhere than on the trunk, as far as is known.
SELECT sha, run_id FROM landed WHERE repo_id = :repo_id AND is_trunk = 0 AND whole = 1

-- :name arrive
-- These are on the trunk by now.
UPDATE landed SET is_trunk = 1
WHERE repo_id = :repo_id AND is_trunk = 0 AND whole = 1 AND sha IN (SELECT value FROM json_each(:shas))
RETURNING sha, run_id

-- :name arrive@postgres
-- As above; all who write to several lock them in this order.
UPDATE landed SET is_trunk = 1 WHERE number IN (
  SELECT number FROM landed
  WHERE repo_id = :repo_id AND is_trunk = 0 AND whole = 1 AND sha IN (SELECT value FROM json_each(:shas))
  ORDER BY sha FOR UPDATE
)
RETURNING sha, run_id
