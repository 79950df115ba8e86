-- :name landed_with
-- The commits of a repo that say they landed with a pull request, the last first.
SELECT a.sha FROM attribution AS a
WHERE a.repo_id = :repo_id AND a.mentions NOT LIKE '%"pulls":[]%'
  AND EXISTS (SELECT 1 FROM json_each(a.mentions, '$.pulls') AS p WHERE CAST(p.value AS BIGINT) = :number)
ORDER BY a.landed_at_ms DESC, a.sha LIMIT :limit

-- :name made_by
-- The commits that some runs made, or lines of, the last first.
SELECT a.sha, MAX(a.landed_at_ms) AS landed_at_ms
FROM json_each(:run_ids) AS i CROSS JOIN attribution_run AS r CROSS JOIN attribution AS a
WHERE r.run_id = i.value AND a.number = r.attribution AND a.repo_id = :repo_id AND (
  a.run_id = r.run_id
  OR (a.run_id <> '' AND EXISTS (
    SELECT 1 FROM attribution_line AS l WHERE l.attribution = r.attribution AND l.place = r.place
  ))
)
GROUP BY a.sha ORDER BY landed_at_ms DESC, a.sha LIMIT :limit

-- :name landed_as
-- The commits in which the work of a run may have landed of which these did not: none that landed before they were made.
SELECT DISTINCT b.sha FROM json_each(:shas) AS s CROSS JOIN attribution AS a CROSS JOIN attribution_run AS r
CROSS JOIN attribution AS b
WHERE a.repo_id = :repo_id AND a.sha = s.value AND a.run_id <> '' AND r.run_id = a.run_id AND b.number = r.attribution
  AND b.repo_id = a.repo_id AND b.landed_at_ms > 0 AND b.landed_at_ms >= a.made_at_ms LIMIT :limit

-- :name made_with
-- The other runs that made lines of some commits that several made.
SELECT r.run_id FROM json_each(:shas) AS s CROSS JOIN attribution AS a CROSS JOIN attribution_run AS r
WHERE a.repo_id = :repo_id AND a.sha = s.value AND r.attribution = a.number AND r.place > 0
  AND EXISTS (SELECT 1 FROM attribution_line AS l WHERE l.attribution = r.attribution AND l.place = r.place)
ORDER BY s.key, r.place

-- :name taken_back_by
-- The commits of a repo that take some others back, the first one first.
SELECT s.value AS reverted, a.sha, a.run_id, a.title, a.author, a.made_at_ms, a.landed_at_ms,
  COALESCE(b.loop, '') AS loop, COALESCE(b.principal, '') AS principal
FROM json_each(:shas) AS s CROSS JOIN attribution_revert AS r CROSS JOIN attribution AS a
LEFT JOIN run AS b ON b.id = a.run_id
WHERE r.short = substr(s.value, 1, 7) AND r.reverted = substr(s.value, 1, length(r.reverted))
  AND a.number = r.attribution AND a.repo_id = :repo_id AND a.sha <> s.value
ORDER BY a.landed_at_ms, a.made_at_ms, a.sha LIMIT :limit

-- :name claims_of
-- What some runs asked to hold, in the order of the grants.
SELECT c.id, c.repo_id, c.run_id, c.fence, c.mode, c.intent, c.patterns, c.ttl_ms, c.granted_at_ms, c.ended_at_ms,
  c.ended_how, c.origin, c.worktree, r.loop, r.principal, r.expires_at_ms
FROM json_each(:run_ids) AS i CROSS JOIN claim AS c CROSS JOIN run AS r
WHERE c.run_id = i.value AND r.id = c.run_id AND c.origin = 'asked' ORDER BY c.fence LIMIT :limit

-- :name notes_of
-- What some runs said, first to last.
SELECT n.id, n.repo_id, n.run_id, n.seq, n.kind, n.authority, n.who, n.loop, n.text, n.paths, n.addressee,
  n.supersedes, n.contradicts, n.shared_at_ms, n.expires_at_ms, n.superseded_by
FROM json_each(:run_ids) AS i CROSS JOIN note AS n
WHERE n.run_id = i.value ORDER BY n.seq LIMIT :limit

-- :name notes_by_ids
-- Some notes, whether they hold or not, first to last.
SELECT n.id, n.repo_id, n.run_id, n.seq, n.kind, n.authority, n.who, n.loop, n.text, n.paths, n.addressee,
  n.supersedes, n.contradicts, n.shared_at_ms, n.expires_at_ms, n.superseded_by
FROM json_each(:ids) AS i CROSS JOIN note AS n WHERE n.id = i.value ORDER BY n.seq

-- :name outcomes_of
-- What was recorded about some runs, first to last, and by whom.
SELECT o.id, o.repo_id, o.run_id, o.about_run, o.seq, o.role, o.status, o.summary, o.passed, o.failed, o.failing,
  o.tried, o.finding, o.commits, o.links, o.attempt, o.rework, o.next_action, o.recorded_at_ms,
  r.loop || '@' || r.principal AS who
FROM json_each(:run_ids) AS i CROSS JOIN outcome AS o CROSS JOIN run AS r
WHERE o.about_run = i.value AND r.id = o.run_id ORDER BY o.seq LIMIT :limit

-- :name decisions_of
-- The decisions on what some runs did and made, on some commits, and some others by id, the last first.
SELECT d.id, d.run_id, d.about_run, d.head, d.who, d.point, d.actions, d.answer, d.reasons, d.decided_at_ms FROM (
  SELECT a.id FROM json_each(:run_ids) AS i CROSS JOIN decision AS a WHERE a.run_id = i.value AND a.run_id <> ''
  UNION
  SELECT b.id FROM json_each(:run_ids) AS i CROSS JOIN decision AS b WHERE b.about_run = i.value AND b.about_run <> ''
  UNION
  SELECT c.id FROM json_each(:shas) AS s CROSS JOIN decision AS c
  WHERE c.repo_id = :repo_id AND c.head = s.value AND c.head <> ''
  UNION
  SELECT e.id FROM json_each(:ids) AS j CROSS JOIN decision AS e WHERE e.id = j.value
) AS f CROSS JOIN decision AS d WHERE d.id = f.id AND d.repo_id = :repo_id
ORDER BY d.decided_at_ms DESC, d.id LIMIT :limit

-- :name approvals_of
-- What some decisions asked of people, and what these said.
SELECT a.id, a.decision_id, a.state, a.until_ms, a.actions, a.asked_at_ms, COALESCE(b.who, '') AS who,
  COALESCE(b.verdict, '') AS verdict, COALESCE(b.why, '') AS why
FROM json_each(:ids) AS i CROSS JOIN approval AS a LEFT JOIN approval_answer AS b ON b.approval_id = a.id
WHERE a.decision_id = i.value ORDER BY a.seq, b.answered_at_ms, b.who LIMIT :limit

-- :name landed
-- What landed in a repo since a time and is some run's, the newest first.
SELECT sha FROM attribution
WHERE repo_id = :repo_id AND landed_at_ms >= :since_ms AND run_id <> ''
ORDER BY landed_at_ms DESC, sha LIMIT :limit
