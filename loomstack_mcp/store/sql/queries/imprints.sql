-- :name waiting
-- Commits that runs said to have made and whose content was not read yet, the newest runs first.
SELECT b.sha, b.run_id, b.made_at_ms, r.started_at_ms FROM binding AS b JOIN run AS r ON r.id = b.run_id
WHERE b.repo_id = :repo_id AND b.imprinted <> :meaning AND r.started_at_ms >= :since_ms
ORDER BY r.seq DESC, b.sha LIMIT :limit

-- :name bound_to
-- Which run said first to have made each of these commits, and by which digits.
SELECT s.value AS sha, b.sha AS digits, b.run_id FROM json_each(:shas) AS s CROSS JOIN binding AS b
WHERE b.repo_id = :repo_id AND b.short = substr(s.value, 1, 7) AND b.sha = substr(s.value, 1, length(b.sha))

-- :name imprinted
-- The content of these commits is known as the run's.
UPDATE binding SET imprinted = :meaning
WHERE repo_id = :repo_id AND run_id = :run_id AND sha IN (SELECT value FROM json_each(:shas))

-- :name imprinted@postgres
-- As above; all who write to several lock them in this order.
UPDATE binding SET imprinted = :meaning WHERE (repo_id, short, sha, run_id) IN (
  SELECT repo_id, short, sha, run_id FROM binding
  WHERE repo_id = :repo_id AND run_id = :run_id AND sha IN (SELECT value FROM json_each(:shas))
  ORDER BY sha FOR UPDATE
)

-- :name insert
-- The imprint of a run, by one meaning of its marks, and when the first of it was made.
INSERT INTO imprint (repo_id, run_id, meaning, seen_at_ms, made_at_ms, older)
VALUES (:repo_id, :run_id, :meaning, :now_ms, :made_at_ms, :older)
ON CONFLICT (run_id, meaning) DO UPDATE SET seen_at_ms = excluded.seen_at_ms, made_at_ms = CASE
    WHEN excluded.made_at_ms = 0 THEN imprint.made_at_ms
    WHEN imprint.made_at_ms = 0 THEN excluded.made_at_ms
    ELSE min(imprint.made_at_ms, excluded.made_at_ms)
  END
RETURNING number, made_at_ms, older

-- :name keep_older
-- What was there before all that it made, by what is known now.
UPDATE imprint SET older = :older WHERE number = :imprint

-- :name add
-- Marks of it.
INSERT INTO imprint_mark (mark, imprint) SELECT CAST(m.value AS BIGINT), :imprint FROM json_each(:marks) AS m WHERE true
ON CONFLICT DO NOTHING

-- :name count_lines
-- So many of them are lines.
UPDATE imprint SET lines = lines + :new WHERE number = :imprint

-- :name any
-- Whether any run of the repo left an imprint.
SELECT 1 FROM imprint WHERE repo_id = :repo_id AND meaning = :meaning LIMIT 1

-- :name of_run
-- The imprint of a run.
SELECT number FROM imprint WHERE run_id = :run_id AND meaning = :meaning

-- :name sharing
-- The runs that had begun, by the store's clock or by that of their machine, and left some of these marks, the first to
-- leave any first; but for what was there before they made anything.
SELECT i.number, i.run_id, m.mark FROM json_each(:marks) AS w CROSS JOIN imprint_mark AS m
CROSS JOIN imprint AS i CROSS JOIN run AS r
WHERE m.mark = CAST(w.value AS BIGINT) AND i.number = m.imprint AND r.id = i.run_id AND i.repo_id = :repo_id AND i.meaning = :meaning
  AND (r.started_at_ms <= :made_at_ms + 600000 OR i.made_at_ms BETWEEN 1 AND :made_at_ms + 600000)
  AND i.older NOT LIKE '%"' || :sha || '"%'

-- :name size
-- How many marks an imprint has.
SELECT COUNT(*) AS marks FROM imprint_mark WHERE imprint = :imprint

-- :name fade
-- Imprints too old for anything of theirs to land, or of another meaning.
SELECT number FROM imprint WHERE repo_id = :repo_id AND (seen_at_ms < :before_ms OR meaning < :meaning)

-- :name forget_marks
-- Some marks of an imprint.
DELETE FROM imprint_mark WHERE (mark, imprint) IN (
  SELECT mark, imprint FROM imprint_mark WHERE imprint = :imprint LIMIT :limit
)

-- :name forget_marks@postgres
-- As above, but for those that somebody takes away now.
DELETE FROM imprint_mark WHERE (mark, imprint) IN (
  SELECT mark, imprint FROM imprint_mark WHERE imprint = :imprint LIMIT :limit FOR UPDATE SKIP LOCKED
)

-- :name forget
-- An imprint that has none any more.
DELETE FROM imprint WHERE number = :imprint AND NOT EXISTS (SELECT 1 FROM imprint_mark WHERE imprint = :imprint)

-- :name nobodys
-- Landed changes to these files that are no run's as far as is known, made since a time.
SELECT DISTINCT l.sha, l.made_at_ms, l.hints FROM json_each(:paths) AS p
CROSS JOIN landed_file AS f JOIN landed AS l ON l.number = f.landed
WHERE f.repo_id = :repo_id AND f.path = p.value
  AND l.run_id = '' AND l.whole = 1 AND l.made_at_ms + 600000 >= :since_ms

-- :name know
-- A landed change is a run's, where it is nobody else's meanwhile.
UPDATE landed SET run_id = :run_id, bound_by = :bound_by
WHERE repo_id = :repo_id AND sha = :sha AND run_id = '' RETURNING is_trunk
