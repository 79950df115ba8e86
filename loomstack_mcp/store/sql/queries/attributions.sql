-- :name keep
-- Whose a commit is, by what is known now; when it landed stays known.
INSERT INTO attribution (repo_id, sha, run_id, bound_by, confidence, flags, mentions, title, author, made_at_ms,
  landed_at_ms)
VALUES (:repo_id, :sha, :run_id, :bound_by, :confidence, :flags, :mentions, :title, :author, :made_at_ms, :landed_at_ms)
ON CONFLICT (repo_id, sha) DO UPDATE SET run_id = excluded.run_id, bound_by = excluded.bound_by,
  confidence = excluded.confidence, flags = excluded.flags, mentions = excluded.mentions, title = excluded.title,
  author = excluded.author, made_at_ms = excluded.made_at_ms,
  landed_at_ms = CASE
    WHEN excluded.landed_at_ms > attribution.landed_at_ms THEN excluded.landed_at_ms ELSE attribution.landed_at_ms
  END
RETURNING number

-- :name arrive
-- Some commits that were known from elsewhere are on the trunk by now.
UPDATE attribution SET landed_at_ms = (
  SELECT l.at_ms FROM landed AS l WHERE l.repo_id = attribution.repo_id AND l.sha = attribution.sha
)
WHERE repo_id = :repo_id AND landed_at_ms = 0 AND sha IN (
  SELECT l.sha FROM json_each(:shas) AS s CROSS JOIN landed AS l WHERE l.repo_id = :repo_id AND l.sha = s.value
)

-- :name forget_runs
-- Its candidates, which are told anew.
DELETE FROM attribution_run WHERE attribution = :number

-- :name hold_runs
-- Which of these runs there are; they stay for as long as whoever asks goes on.
SELECT r.id FROM json_each(:runs) AS i CROSS JOIN run AS r WHERE r.id = i.value

-- :name hold_runs@postgres
-- As above; all who hold several lock them in this order.
SELECT id FROM run WHERE id IN (SELECT value FROM json_each(:runs)) ORDER BY id FOR KEY SHARE

-- :name keep_run
-- One of its candidates.
INSERT INTO attribution_run (attribution, place, run_id, bound_by, confidence)
VALUES (:number, :place, :run_id, :bound_by, :confidence)

-- :name forget_lines
-- Who wrote which of its lines, which is told anew.
DELETE FROM attribution_line WHERE attribution = :number

-- :name keep_lines
-- The lines that the candidate in a place wrote.
INSERT INTO attribution_line (attribution, line, place)
SELECT :number, CAST(l.value AS BIGINT), :place FROM json_each(:lines) AS l

-- :name keep_reverts
-- The commits that it takes back.
INSERT INTO attribution_revert (attribution, reverted, short)
SELECT :number, r.value, substr(r.value, 1, 7) FROM json_each(:reverted) AS r WHERE true
ON CONFLICT DO NOTHING

-- :name of_shas
-- Some commits of a repo, by their whole ids.
SELECT a.number, a.sha, a.run_id, a.bound_by, a.confidence, a.flags, a.mentions, a.title, a.author, a.made_at_ms,
  a.landed_at_ms
FROM json_each(:shas) AS s CROSS JOIN attribution AS a WHERE a.repo_id = :repo_id AND a.sha = s.value

-- :name of_prefix
-- The commits of a repo that begin with some digits; `beyond` are those digits and a letter behind all of them.
SELECT number, sha, run_id, bound_by, confidence, flags, mentions, title, author, made_at_ms, landed_at_ms
FROM attribution WHERE repo_id = :repo_id AND sha >= :prefix AND sha < :beyond ORDER BY sha LIMIT :limit

-- :name nobodys
-- What landed since a time and is no run's as far as is known, the newest first.
SELECT number, sha, run_id, bound_by, confidence, flags, mentions, title, author, made_at_ms, landed_at_ms
FROM attribution WHERE repo_id = :repo_id AND run_id = '' AND landed_at_ms >= :since_ms AND landed_at_ms > 0
ORDER BY landed_at_ms DESC LIMIT :limit

-- :name of_run
-- The commits that a run made, or some of, those that landed last first.
SELECT a.number, a.sha, a.run_id, a.bound_by, a.confidence, a.flags, a.mentions, a.title, a.author, a.made_at_ms,
  a.landed_at_ms
FROM attribution_run AS r JOIN attribution AS a ON a.number = r.attribution
WHERE r.run_id = :run_id ORDER BY a.landed_at_ms DESC, a.made_at_ms DESC, a.sha LIMIT :limit

-- :name reversals
-- The commits of a repo that take another back, the last first.
SELECT a.number, a.sha, a.run_id, a.bound_by, a.confidence, a.flags, a.mentions, a.title, a.author, a.made_at_ms,
  a.landed_at_ms
FROM attribution_revert AS r JOIN attribution AS a ON a.number = r.attribution
WHERE r.short = substr(:sha, 1, 7) AND r.reverted = substr(:sha, 1, length(r.reverted)) AND a.repo_id = :repo_id
ORDER BY a.landed_at_ms DESC, a.made_at_ms DESC, a.sha LIMIT :limit

-- :name runs_of
-- The candidates of some commits.
SELECT r.attribution, r.run_id, r.bound_by, r.confidence
FROM json_each(:numbers) AS n CROSS JOIN attribution_run AS r WHERE r.attribution = CAST(n.value AS BIGINT)
ORDER BY r.attribution, r.place

-- :name reverts_of
-- What some commits take back.
SELECT r.attribution, r.reverted
FROM json_each(:numbers) AS n CROSS JOIN attribution_revert AS r WHERE r.attribution = CAST(n.value AS BIGINT)
ORDER BY r.attribution, r.reverted

-- :name writers
-- Which candidates wrote some lines of a commit, the last writer first.
SELECT l.line, r.run_id FROM json_each(:lines) AS w CROSS JOIN attribution_line AS l
JOIN attribution_run AS r ON r.attribution = l.attribution AND r.place = l.place JOIN run AS b ON b.id = r.run_id
WHERE l.attribution = :number AND l.line = CAST(w.value AS BIGINT)
ORDER BY b.started_at_ms DESC, b.seq DESC

-- :name has_lines
-- Whether it is known which of its lines are whose.
SELECT 1 FROM attribution_line WHERE attribution = :number LIMIT 1

-- :name imprints_of
-- The imprints of these runs, and how many lines each has.
SELECT i.run_id, i.number, i.lines FROM json_each(:runs) AS r CROSS JOIN imprint AS i
WHERE i.run_id = r.value AND i.meaning = :meaning

-- :name held
-- Which of these marks some runs left, beside what they are known again by.
SELECT i.run_id, m.mark FROM json_each(:runs) AS r CROSS JOIN imprint AS i CROSS JOIN json_each(:marks) AS w
JOIN imprint_mark AS m ON m.mark = CAST(w.value AS BIGINT) AND m.imprint = i.number
WHERE i.run_id = r.value AND i.meaning = :meaning

-- :name of_pulls
-- The runs that named some pull requests of a repo in the links of their outcomes.
SELECT p.run_id FROM json_each(:pulls) AS n CROSS JOIN pull AS p
WHERE p.repo_id = :repo_id AND p.number = CAST(n.value AS BIGINT) ORDER BY n.key, p.run_id

-- :name runs_of_commits
-- The runs that made some commits of a repo, each named by its first digits, or all.
SELECT b.run_id FROM json_each(:shas) AS s CROSS JOIN binding AS b
WHERE b.repo_id = :repo_id AND b.short = substr(s.value, 1, 7)
  AND (b.sha = substr(s.value, 1, length(b.sha)) OR s.value = substr(b.sha, 1, length(s.value)))
UNION
SELECT a.run_id FROM json_each(:shas) AS s CROSS JOIN attribution AS a
WHERE a.repo_id = :repo_id AND a.run_id <> '' AND a.sha >= s.value AND a.sha < s.value || 'g'

-- :name keep_pull
-- A run named a pull request of its repo.
INSERT INTO pull (repo_id, number, run_id) VALUES (:repo_id, :pull, :run_id) ON CONFLICT DO NOTHING

-- :name bind_late
-- These commits, whose they are was not known by their ids, are a run's: it said so itself.
UPDATE attribution SET run_id = :run_id, bound_by = 'sha', confidence = 1.0, flags = '[]'
WHERE repo_id = :repo_id AND bound_by <> 'sha' AND sha IN (SELECT value FROM json_each(:shas))
RETURNING number

-- :name bind_late@postgres
-- As above; all who write to several lock them in this order.
UPDATE attribution SET run_id = :run_id, bound_by = 'sha', confidence = 1.0, flags = '[]' WHERE number IN (
  SELECT number FROM attribution
  WHERE repo_id = :repo_id AND bound_by <> 'sha' AND sha IN (SELECT value FROM json_each(:shas))
  ORDER BY sha FOR UPDATE
)
RETURNING number

-- :name forget_line_keys
-- Which lines of the commits of a repo are whose: they were hashed with a key that holds no more.
DELETE FROM attribution_line WHERE attribution IN (SELECT number FROM attribution WHERE repo_id = :repo_id)
