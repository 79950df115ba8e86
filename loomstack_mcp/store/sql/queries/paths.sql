-- :name near
-- Patterns at or above a key (IN list) and below it (range), of any extension or of one: a superset of those that
-- overlap.
SELECT p.id, p.pattern FROM json_each(:keys, '$.above') AS a CROSS JOIN path_key AS p
WHERE p.repo_id = :repo_id AND p.noun = :noun AND p.key = a.value
UNION ALL
SELECT p.id, p.pattern FROM json_each(:keys, '$.below') AS b CROSS JOIN path_key AS p
WHERE p.repo_id = :repo_id AND p.noun = :noun
  AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
UNION ALL
SELECT p.id, p.pattern FROM json_each(:keys, '$.below_with') AS b CROSS JOIN path_key AS p
WHERE p.repo_id = :repo_id AND p.noun = :noun AND p.extension = json_extract(b.value, '$[2]')
  AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
LIMIT :limit

-- :name insert
-- Where a claim, a waiter, a run or a note lies.
INSERT INTO path_key (repo_id, noun, key, extension, id, pattern)
SELECT :repo_id, :noun, json_extract(p.value, '$[0]'), json_extract(p.value, '$[1]'), :id,
  json_extract(p.value, '$[2]')
FROM json_each(:places) AS p
WHERE true
ON CONFLICT DO NOTHING

-- :name delete_some
-- It no longer lies at some of its places.
DELETE FROM path_key WHERE (repo_id, noun, key, extension, id, pattern) IN (
  SELECT repo_id, noun, key, extension, id, pattern FROM path_key WHERE id = :id LIMIT :limit
)

-- :name delete_some@postgres
-- As above, but for those that somebody takes away now.
DELETE FROM path_key WHERE (repo_id, noun, key, extension, id, pattern) IN (
  SELECT repo_id, noun, key, extension, id, pattern FROM path_key WHERE id = :id LIMIT :limit FOR UPDATE SKIP LOCKED
)

-- :name delete
-- It lies nowhere any more.
DELETE FROM path_key WHERE id IN (SELECT value FROM json_each(:ids))

-- :name lies
-- Whether something lies anywhere.
SELECT 1 FROM path_key WHERE id = :id LIMIT 1
