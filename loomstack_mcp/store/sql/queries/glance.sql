-- :name file
-- Whose file it is, and of which version.
SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)

-- :name stamp
-- By what it is known that an agent's edits in a worktree were seen, and that this one was judged by the settings and
-- rules of then.
SELECT s.stamp, s.claim_edits FROM sighting AS s
JOIN judging AS j ON j.session = s.session AND j.agent = s.agent AND j.folder = s.folder AND j.stamp = s.stamp
JOIN judged AS d ON d.session = s.session AND d.agent = s.agent AND d.folder = s.folder
WHERE s.session = :session AND s.tool_use = '' AND s.agent = :agent AND s.folder = :folder AND d.step = :step

-- :name remembered
-- The same, with the repo, for whoever has to ask a hub about it. Of an edit that was not judged the patterns of what
-- rules are about, where all those are known.
SELECT s.stamp, s.claim_edits, s.repo_id, CASE WHEN d.step IS NULL THEN j.patterns ELSE '' END AS about
FROM sighting AS s
JOIN judging AS j ON j.session = s.session AND j.agent = s.agent AND j.folder = s.folder AND j.stamp = s.stamp
LEFT JOIN judged AS d ON d.session = s.session AND d.agent = s.agent AND d.folder = s.folder AND d.step = :step
WHERE s.session = :session AND s.tool_use = '' AND s.agent = :agent AND s.folder = :folder
  AND (d.step IS NOT NULL OR j.patterns IS NOT NULL)

-- :name line
-- By what an agent's steps in a worktree were judged, where no rule looks at calls of tools, and none but the built-in
-- ones at shell lines.
SELECT stamp FROM judging WHERE session = :session AND agent = :agent AND folder = :folder AND is_plain = 1

-- :name began
-- Whether a shell line was seen to begin.
SELECT 1 FROM line WHERE session = :session AND tool_use = :tool_use

-- :name check
-- Whether a sub-agent has a live run that checks another. Whether it counts now, a closer look tells.
SELECT 1 FROM run
WHERE principal = :principal AND session = :session AND agent = :agent AND state = 'live' AND checks_run IS NOT NULL
LIMIT 1

-- :name alerts
-- Whether an agent's runs have something to hear (as `alerts.due_to_agent` tells).
SELECT 1 FROM run AS r CROSS JOIN alert AS a ON a.run_id = r.id
WHERE r.principal = :principal AND r.session = :session AND r.agent = :agent AND a.deliveries < 2
  AND (r.state = 'live' OR a.kind = 'stopped')
LIMIT 1

-- :name near
-- A claim at or above a key, or below it, in any repo, that may be in an edit's way: held by no run of the caller's (as
-- `claims.family` tells them), exclusively, and not lapsed for certain.
WITH RECURSIVE family (id, parent_id) AS (
  SELECT id, parent_id FROM run
  WHERE principal = :principal AND state = 'live' AND (session = '' OR (session = :session AND agent IN (:agent, '')))
  UNION
  SELECT r.id, r.parent_id FROM family JOIN run AS r ON r.id = family.parent_id
),
near (id) AS (
  SELECT p.id FROM repo AS o CROSS JOIN json_each(:above) AS a CROSS JOIN path_key AS p
  WHERE p.repo_id = o.id AND p.noun = 'claim' AND p.key = a.value
  UNION ALL
  SELECT p.id FROM repo AS o CROSS JOIN path_key AS p
  WHERE p.repo_id = o.id AND p.noun = 'claim' AND p.key > :low AND p.key < :high
)
SELECT 1 FROM near CROSS JOIN claim AS c ON c.id = near.id CROSS JOIN run AS r ON r.id = c.run_id
WHERE c.ended_at_ms IS NULL AND c.mode = 'exclusive' AND r.id NOT IN (SELECT id FROM family)
  AND NOT COALESCE(r.boot_id = :boot_id
    AND r.expires_at_ms <= (SELECT base_ms FROM boot WHERE boot_id = :boot_id) + :boot_ms, 0)
  AND NOT COALESCE(c.boot_id = :boot_id
    AND c.own_until_ms <= (SELECT base_ms FROM boot WHERE boot_id = :boot_id) + :boot_ms, 0)
LIMIT 1

-- :name own
-- Whether exactly this agent holds a file of a worktree for certain, and for a while yet: half of the lease is left. By a
-- claim on the file, or on a folder above it whose name has no wildcard.
SELECT 1 FROM sighting AS s CROSS JOIN json_each(:above) AS a
CROSS JOIN path_key AS p ON p.repo_id = s.repo_id AND p.noun = 'claim' AND p.key = a.value
CROSS JOIN claim AS c ON c.id = p.id CROSS JOIN run AS r ON r.id = c.run_id
CROSS JOIN (SELECT base_ms + :boot_ms AS now_ms FROM boot WHERE boot_id = :boot_id) AS t
WHERE s.session = :session AND s.tool_use = '' AND s.agent = :agent AND s.folder = :folder
  AND (p.pattern = :path OR (p.pattern LIKE '%/' AND substr(:path, 1, length(p.pattern)) = p.pattern))
  AND p.pattern NOT GLOB '*[[{\]*' AND c.ended_at_ms IS NULL
  AND r.principal = :principal AND r.session = :session AND r.agent = :agent AND r.state = 'live'
  AND r.boot_id = :boot_id AND r.expires_at_ms - r.ttl_ms / 2 >= t.now_ms
  AND (c.origin = 'asked' OR (c.worktree = :folder AND c.boot_id = :boot_id AND c.own_until_ms - c.ttl_ms / 2 >= t.now_ms))
LIMIT 1
