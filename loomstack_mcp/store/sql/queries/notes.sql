-- :name insert
-- A note; nothing changes where its id is taken.
INSERT INTO note (id, repo_id, run_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes,
  contradicts, shared_at_ms, expires_at_ms, superseded_by)
VALUES (:id, :repo_id, :run_id, :seq, :kind, :authority, :who, :loop, :text, :paths, :addressee, :supersedes,
  :contradicts, :shared_at_ms, :expires_at_ms, :superseded_by)
ON CONFLICT (id) DO NOTHING

-- :name get
-- One note.
SELECT id, repo_id, run_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, contradicts,
  shared_at_ms, expires_at_ms, superseded_by
FROM note WHERE id = :id

-- :name supersede
-- A newer note takes the place of this one.
UPDATE note SET superseded_by = :by WHERE id = :id

-- :name by_ids
-- Which of these notes still hold, newest first.
SELECT n.id, n.repo_id, n.run_id, n.seq, n.kind, n.authority, n.who, n.loop, n.text, n.paths, n.addressee,
  n.supersedes, n.contradicts, n.shared_at_ms, n.expires_at_ms, n.superseded_by
FROM json_each(:ids) AS i CROSS JOIN note AS n
WHERE n.id = i.value AND n.superseded_by = '' AND (n.expires_at_ms IS NULL OR n.expires_at_ms > :now_ms)
ORDER BY n.seq DESC

-- :name latest
-- The newest notes that hold in a repo.
SELECT id, repo_id, run_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, contradicts,
  shared_at_ms, expires_at_ms, superseded_by
FROM note
WHERE repo_id = :repo_id AND superseded_by = '' AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)
ORDER BY seq DESC LIMIT :limit

-- :name latest_of_people
-- The newest notes of people that hold in a repo.
SELECT id, repo_id, run_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, contradicts,
  shared_at_ms, expires_at_ms, superseded_by
FROM note
WHERE repo_id = :repo_id AND superseded_by = '' AND authority <> 'loop'
  AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)
ORDER BY seq DESC LIMIT :limit

-- :name lately_meant
-- The intents that hold among the last :among notes of a repo, newest first.
SELECT id, repo_id, run_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, contradicts,
  shared_at_ms, expires_at_ms, superseded_by
FROM (
  SELECT * FROM note WHERE repo_id = :repo_id AND superseded_by = '' ORDER BY seq DESC LIMIT :among
) AS last
WHERE kind = 'intent' AND authority = 'loop' AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)
ORDER BY seq DESC LIMIT :limit

-- :name search
-- Notes that hold and match a full-text query, best first; among very many matches only the newest are ranked.
SELECT n.id, n.repo_id, n.run_id, n.seq, n.kind, n.authority, n.who, n.loop, n.text, n.paths, n.addressee,
  n.supersedes, n.contradicts, n.shared_at_ms, n.expires_at_ms, n.superseded_by
FROM (
  SELECT f.rowid AS number, f.rank AS score
  FROM note_fts AS f JOIN note AS m ON m.number = f.rowid
  WHERE note_fts MATCH :query AND m.repo_id IN (:repo_id, 'org') AND m.superseded_by = ''
    AND (m.expires_at_ms IS NULL OR m.expires_at_ms > :now_ms)
  ORDER BY f.rowid DESC LIMIT :ranked_max
) AS s JOIN note AS n ON n.number = s.number
ORDER BY s.score LIMIT :limit

-- :name search@postgres
-- As above.
SELECT n.id, n.repo_id, n.run_id, n.seq, n.kind, n.authority, n.who, n.loop, n.text, n.paths, n.addressee,
  n.supersedes, n.contradicts, n.shared_at_ms, n.expires_at_ms, n.superseded_by
FROM (
  SELECT m.number, ts_rank(m.words, note_query(:query)) AS score FROM note AS m
  WHERE m.words @@ note_query(:query) AND m.repo_id IN (:repo_id, 'org') AND m.superseded_by = ''
    AND (m.expires_at_ms IS NULL OR m.expires_at_ms > :now_ms)
  ORDER BY m.number DESC LIMIT :ranked_max
) AS s JOIN note AS n ON n.number = s.number
ORDER BY s.score DESC, n.number LIMIT :limit

-- :name near
-- Patterns of notes that hold, of some kinds, at or above a key and below it: a superset of those that overlap.
SELECT p.id, p.pattern FROM (
  SELECT p.id, p.pattern FROM json_each(:keys, '$.above') AS a CROSS JOIN path_key AS p
  WHERE p.repo_id = :repo_id AND p.noun = 'note' AND p.key = a.value
  UNION ALL
  SELECT p.id, p.pattern FROM json_each(:keys, '$.below') AS b CROSS JOIN path_key AS p
  WHERE p.repo_id = :repo_id AND p.noun = 'note'
    AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
  UNION ALL
  SELECT p.id, p.pattern FROM json_each(:keys, '$.below_with') AS b CROSS JOIN path_key AS p
  WHERE p.repo_id = :repo_id AND p.noun = 'note' AND p.extension = json_extract(b.value, '$[2]')
    AND p.key > json_extract(b.value, '$[0]') AND p.key < json_extract(b.value, '$[1]')
) AS p CROSS JOIN note AS n
WHERE n.id = p.id AND n.superseded_by = '' AND (n.expires_at_ms IS NULL OR n.expires_at_ms > :now_ms)
  AND n.kind IN (SELECT value FROM json_each(:kinds))
LIMIT :limit

-- :name addressed
-- The newest notes that hold and are addressed to one of these.
SELECT n.id, n.repo_id, n.run_id, n.seq, n.kind, n.authority, n.who, n.loop, n.text, n.paths, n.addressee,
  n.supersedes, n.contradicts, n.shared_at_ms, n.expires_at_ms, n.superseded_by
FROM json_each(:called) AS a CROSS JOIN note AS n
WHERE n.repo_id = :repo_id AND n.addressee = a.value
  AND n.superseded_by = '' AND n.addressee <> '' AND (n.expires_at_ms IS NULL OR n.expires_at_ms > :now_ms)
ORDER BY n.seq DESC LIMIT :limit

-- :name agreeing
-- The decisions that hold and took the place of somebody's intents, each with the paths of the intent: by that somebody,
-- or by a person.
SELECT o.paths AS patterns, n.id, n.loop, n.who, n.text, n.shared_at_ms, COALESCE(r.session, '') AS session
FROM note AS o JOIN note AS n ON n.id = o.superseded_by LEFT JOIN run AS r ON r.id = n.run_id
WHERE o.repo_id = :repo_id AND o.loop || '@' || o.who = :author AND o.kind = 'intent' AND o.superseded_by <> ''
  AND n.kind = 'decision' AND n.superseded_by = '' AND (n.expires_at_ms IS NULL OR n.expires_at_ms > :now_ms)
  AND (n.authority <> 'loop' OR (n.who = o.who AND n.loop = o.loop))
ORDER BY n.seq DESC

-- :name expire_later
-- It ends by time.
INSERT INTO note_expiry (repo_id, expires_at_ms, id) VALUES (:repo_id, :expires_at_ms, :id) ON CONFLICT DO NOTHING

-- :name expired
-- These have ended by time, and are forgotten here.
DELETE FROM note_expiry WHERE (repo_id, expires_at_ms, id) IN (
  SELECT repo_id, expires_at_ms, id FROM note_expiry
  WHERE repo_id = :repo_id AND expires_at_ms <= :now_ms ORDER BY expires_at_ms LIMIT :limit
)
RETURNING id

-- :name shared_since
-- The notes that hold in a repo and were shared after a cursor, oldest first.
SELECT id, repo_id, run_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, contradicts,
  shared_at_ms, expires_at_ms, superseded_by
FROM note
WHERE repo_id = :repo_id AND seq > :since AND superseded_by = '' AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)
ORDER BY seq LIMIT :limit
