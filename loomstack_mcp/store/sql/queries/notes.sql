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
FROM json_each(:ids) AS i CROSS JOIN note AS n ON n.id = i.value
WHERE n.superseded_by = '' AND (n.expires_at_ms IS NULL OR n.expires_at_ms > :now_ms)
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
