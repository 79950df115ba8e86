-- :name of_loop
-- The runs of a loop that recorded commits lately, and are over, newest first.
SELECT r.id FROM (
  SELECT about_run FROM outcome WHERE repo_id = :repo_id AND commits <> '[]' ORDER BY seq DESC LIMIT :limit
) AS o CROSS JOIN run AS r
WHERE r.id = o.about_run
  AND r.loop = :loop AND r.principal = :principal AND r.state <> 'live' AND r.started_at_ms >= :since_ms
GROUP BY r.id, r.seq ORDER BY r.seq DESC

-- :name finished
-- What some runs that are over and came to an end recorded as theirs, the last outcome first.
SELECT o.about_run AS run_id, o.seq, b.sha
FROM json_each(:ids) AS i CROSS JOIN run AS r
CROSS JOIN outcome AS o
CROSS JOIN json_each(o.commits) AS s
CROSS JOIN binding AS b
WHERE r.id = i.value AND o.about_run = r.id AND o.commits <> '[]'
  AND b.repo_id = r.repo_id AND b.short = substr(s.value, 1, 7) AND b.sha = s.value AND b.run_id = r.id
  AND r.repo_id = :repo_id AND r.started_at_ms >= :since_ms
  AND (r.status = 'done' OR (r.state = 'lost' AND o.status IN ('passed', 'done')))
ORDER BY o.seq DESC, s.key

-- :name on_trunk
-- Which of these commits the trunk has.
SELECT DISTINCT s.value AS sha FROM json_each(:shas) AS s
CROSS JOIN landed AS l
WHERE l.repo_id = :repo_id AND l.sha >= s.value AND l.sha < s.value || 'g' AND l.is_trunk = 1 AND l.whole = 1

-- :name known_again
-- Which of these runs landed something under another id than they recorded: after a squash, a rebase or an amend.
SELECT DISTINCT l.run_id FROM landed AS l
WHERE l.repo_id = :repo_id AND l.is_trunk = 1 AND l.whole = 1 AND l.run_id IN (SELECT value FROM json_each(:ids))
  AND NOT EXISTS (
    SELECT 1 FROM binding AS b WHERE b.repo_id = l.repo_id AND b.short = substr(l.sha, 1, 7) AND b.run_id = l.run_id
      AND b.bound_by = 'outcome' AND b.sha = substr(l.sha, 1, length(b.sha))
  )

-- :name tip
-- When the tip of the trunk landed; 0 by a clock that is ahead. None where it is not known.
SELECT CASE WHEN at_ms <= :now_ms THEN at_ms ELSE 0 END AS at_ms FROM landed
WHERE repo_id = :repo_id AND sha = :sha AND is_trunk = 1 AND whole = 1

-- :name told
-- Of which stranded runs the later runs of a loop have heard.
SELECT DISTINCT a.about FROM run AS r CROSS JOIN alert AS a
WHERE a.run_id = r.id
  AND r.repo_id = :repo_id AND r.seq > :since AND r.loop = :loop AND r.principal = :principal AND a.kind = 'stranded'
