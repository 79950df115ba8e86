-- What is older than somebody wants to keep it: what ties it to the rest, and how it goes, some rows at a time.

-- :name over_runs
-- The runs of a repo that began before, in the order of their start.
SELECT id, seq FROM run
WHERE repo_id = :repo_id AND seq > :after AND started_at_ms < :before_ms AND state <> 'live' ORDER BY seq LIMIT :limit

-- :name linked
-- Which runs belong together with these: the run that one was started in, that it checks, or whose change it was
-- answered about; either way.
SELECT i.value AS id, r.parent_id AS other FROM json_each(:ids) AS i CROSS JOIN run AS r
WHERE r.id = i.value AND r.parent_id IS NOT NULL
UNION ALL
SELECT i.value AS id, r.checks_run AS other FROM json_each(:ids) AS i CROSS JOIN run AS r
WHERE r.id = i.value AND r.checks_run IS NOT NULL
UNION ALL
SELECT i.value AS id, r.id AS other FROM json_each(:ids) AS i CROSS JOIN run AS r WHERE r.parent_id = i.value
UNION ALL
SELECT i.value AS id, r.id AS other FROM json_each(:ids) AS i CROSS JOIN run AS r WHERE r.checks_run = i.value
UNION ALL
SELECT i.value AS id, o.about_run AS other FROM json_each(:ids) AS i CROSS JOIN outcome AS o
WHERE o.run_id = i.value AND o.about_run <> o.run_id
UNION ALL
SELECT i.value AS id, o.run_id AS other FROM json_each(:ids) AS i CROSS JOIN outcome AS o
WHERE o.about_run = i.value AND o.about_run <> o.run_id
UNION ALL
SELECT i.value AS id, d.about_run AS other FROM json_each(:ids) AS i CROSS JOIN decision AS d
WHERE d.run_id = i.value AND d.run_id <> '' AND d.about_run <> '' AND d.about_run <> d.run_id
UNION ALL
SELECT i.value AS id, d.run_id AS other FROM json_each(:ids) AS i CROSS JOIN decision AS d
WHERE d.about_run = i.value AND d.about_run <> '' AND d.run_id <> '' AND d.about_run <> d.run_id

-- :name hold_runs
-- These runs, of which nobody finds out meanwhile that something is theirs.
SELECT r.id FROM json_each(:ids) AS i CROSS JOIN run AS r WHERE r.id = i.value

-- :name hold_runs@postgres
-- As above; all who hold several lock them in this order.
SELECT id FROM run WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id FOR UPDATE

-- :name ties
-- What of these runs decides whether they are still needed.
SELECT r.id,
  CASE WHEN r.state = 'live' THEN 1 ELSE 0 END AS is_live,
  CASE WHEN r.state = 'ended' AND r.ended_at_ms > r.seen_at_ms THEN r.ended_at_ms ELSE r.seen_at_ms END
    AS touched_at_ms,
  CASE WHEN EXISTS (SELECT 1 FROM claim AS c WHERE c.run_id = r.id AND c.ended_at_ms IS NULL) THEN 1 ELSE 0 END AS holds,
  CASE WHEN EXISTS (SELECT 1 FROM conflict AS f WHERE f.run_id = r.id AND (f.state = 'open' OR f.with_run <> ''))
    OR EXISTS (SELECT 1 FROM conflict AS g WHERE g.with_run = r.id AND g.with_run <> '') THEN 1 ELSE 0 END
    AS is_in_conflict,
  CASE WHEN EXISTS (SELECT 1 FROM binding AS b WHERE b.run_id = r.id)
    OR EXISTS (SELECT 1 FROM attribution_run AS t WHERE t.run_id = r.id)
    OR EXISTS (SELECT 1 FROM pull AS q WHERE q.run_id = r.id)
    OR EXISTS (SELECT 1 FROM imprint AS i WHERE i.run_id = r.id)
    OR EXISTS (
      SELECT 1 FROM decision AS h WHERE h.run_id = r.id AND h.run_id <> ''
        AND (h.head <> '' OR h.actions LIKE '%"land"%' OR h.actions LIKE '%"deploy"%')
    )
    OR EXISTS (SELECT 1 FROM decision AS w WHERE w.about_run = r.id AND w.about_run <> '' AND w.run_id = '')
    OR EXISTS (SELECT 1 FROM landed AS l WHERE l.run_id = r.id AND l.run_id <> '')
    OR EXISTS (SELECT 1 FROM outcome AS o WHERE o.about_run = r.id AND o.commits <> '[]')
    OR EXISTS (SELECT 1 FROM outcome AS p WHERE p.run_id = r.id AND p.commits <> '[]') THEN 1 ELSE 0 END AS made,
  CASE WHEN EXISTS (SELECT 1 FROM approval AS a WHERE a.run_id = r.id AND a.run_id <> '')
    OR EXISTS (
      SELECT 1 FROM decision AS d CROSS JOIN approval AS e WHERE d.run_id = r.id AND d.run_id <> '' AND e.decision_id = d.id
    ) THEN 1 ELSE 0 END AS was_asked,
  CASE WHEN substr(r.status, 1, 11) = 'stopped by '
    OR (SELECT MIN(k.fence) FROM claim AS k WHERE k.run_id = r.id AND k.ended_why <> '') IS NOT NULL THEN 1 ELSE 0 END
    AS was_stopped
FROM json_each(:ids) AS j CROSS JOIN run AS r WHERE r.id = j.value

-- :name left_by
-- How much of these runs would go.
SELECT r.id,
  (SELECT COUNT(*) FROM waiter AS w WHERE w.run_id = r.id) AS waiter,
  (SELECT COUNT(*) FROM alert AS a WHERE a.run_id = r.id) AS alert,
  (SELECT COUNT(*) FROM claim AS c WHERE c.run_id = r.id) AS claim,
  (SELECT COUNT(*) FROM outcome AS o WHERE o.run_id = r.id) AS outcome,
  (SELECT COUNT(*) FROM decision AS d WHERE d.run_id = r.id AND d.run_id <> '') AS decision,
  (SELECT COUNT(*) FROM conflict AS f WHERE f.run_id = r.id) AS conflict,
  (SELECT COUNT(*) FROM note AS n WHERE n.run_id = r.id) AS notes,
  (SELECT COUNT(*) FROM usage AS u WHERE u.run_id = r.id)
    + (SELECT COUNT(*) FROM usage_permission AS p WHERE p.run_id = r.id) AS usages
FROM json_each(:ids) AS j CROSS JOIN run AS r WHERE r.id = j.value

-- :name ended_notes
-- What these runs told and no longer holds: it expired, or something else was said in its place, before that time; and
-- nobody agreed to a conflict by it.
SELECT n.id, n.run_id FROM json_each(:ids) AS j CROSS JOIN note AS n
WHERE n.run_id = j.value AND n.authority = 'loop' AND (
  (n.expires_at_ms IS NOT NULL AND n.expires_at_ms < :before_ms)
  OR (n.superseded_by <> '' AND COALESCE((SELECT s.shared_at_ms FROM note AS s WHERE s.id = n.superseded_by), 0) < :before_ms)
) AND NOT EXISTS (
  SELECT 1 FROM conflict AS f WHERE f.repo_id = n.repo_id AND f.agreed_by <> '' AND f.agreed_by = n.id
)
ORDER BY n.id LIMIT :limit

-- :name delete_notes
-- They are gone.
DELETE FROM note WHERE id IN (SELECT value FROM json_each(:ids))

-- :name delete_expiries
-- Nor do they end by time any more.
DELETE FROM note_expiry WHERE repo_id = :repo_id AND id IN (SELECT value FROM json_each(:ids))

-- :name delete_waiters
-- For what these runs waited.
DELETE FROM waiter WHERE id IN (
  SELECT w.id FROM json_each(:ids) AS j CROSS JOIN waiter AS w WHERE w.run_id = j.value ORDER BY w.id LIMIT :limit
)

-- :name delete_alerts
-- What these runs were to hear.
DELETE FROM alert WHERE (run_id, seq, about) IN (
  SELECT a.run_id, a.seq, a.about FROM json_each(:ids) AS j CROSS JOIN alert AS a WHERE a.run_id = j.value
  ORDER BY a.run_id, a.seq, a.about LIMIT :limit
)

-- :name delete_claims
-- What these runs claimed.
DELETE FROM claim WHERE id IN (
  SELECT c.id FROM json_each(:ids) AS j CROSS JOIN claim AS c WHERE c.run_id = j.value ORDER BY c.id LIMIT :limit
)

-- :name delete_outcomes
-- What came of these runs.
DELETE FROM outcome WHERE id IN (
  SELECT o.id FROM json_each(:ids) AS j CROSS JOIN outcome AS o WHERE o.run_id = j.value ORDER BY o.id LIMIT :limit
)

-- :name delete_decisions
-- What these runs were answered by the policy.
DELETE FROM decision WHERE id IN (
  SELECT d.id FROM json_each(:ids) AS j CROSS JOIN decision AS d WHERE d.run_id = j.value AND d.run_id <> ''
  ORDER BY d.id LIMIT :limit
)

-- :name delete_conflicts
-- The conflicts of these runs.
DELETE FROM conflict WHERE id IN (
  SELECT f.id FROM json_each(:ids) AS j CROSS JOIN conflict AS f WHERE f.run_id = j.value ORDER BY f.id LIMIT :limit
)

-- :name delete_runs
-- Those of these runs that nothing refers to any more.
DELETE FROM run WHERE id IN (
  SELECT r.id FROM json_each(:ids) AS j CROSS JOIN run AS r WHERE r.id = j.value
    AND NOT EXISTS (SELECT 1 FROM note AS n WHERE n.run_id = r.id)
    AND NOT EXISTS (SELECT 1 FROM usage AS s WHERE s.run_id = r.id)
    AND NOT EXISTS (SELECT 1 FROM usage_permission AS p WHERE p.run_id = r.id)
    AND NOT EXISTS (SELECT 1 FROM run AS u WHERE u.parent_id = r.id)
    AND NOT EXISTS (SELECT 1 FROM run AS v WHERE v.checks_run = r.id)
  ORDER BY r.id LIMIT :limit
)

-- :name events
-- A log after a number, and whether each event is of a run that is live.
SELECT e.seq, e.at_ms, e.kind, COALESCE(r.state, '') AS state
FROM event AS e LEFT JOIN run AS r ON r.id = e.run_id AND r.state = 'live'
WHERE e.repo_id = :repo_id AND e.seq > :after ORDER BY e.seq LIMIT :limit

-- :name delete_events
-- These events of a repo.
DELETE FROM event WHERE repo_id = :repo_id AND seq IN (SELECT CAST(value AS BIGINT) FROM json_each(:seqs))

-- :name pruned
-- Its log has gaps up to there.
UPDATE repo SET pruned_seq = :seq WHERE id = :repo_id AND pruned_seq < :seq

-- :name gap
-- Up to where its log has gaps.
SELECT pruned_seq FROM repo WHERE id = :repo_id

-- :name decisions
-- Decisions of a repo that no run asked for, nor are about anything that would land, oldest first, behind one of them.
SELECT d.id, d.decided_at_ms, d.actions,
  CASE WHEN EXISTS (SELECT 1 FROM approval AS a WHERE a.decision_id = d.id) THEN 1 ELSE 0 END AS was_asked
FROM decision AS d WHERE d.repo_id = :repo_id AND d.run_id = '' AND d.about_run = '' AND d.head = ''
  AND (d.decided_at_ms, d.id) > (:after_ms, :after_id)
  AND d.decided_at_ms < :before_ms ORDER BY d.decided_at_ms, d.id LIMIT :limit

-- :name delete_some_decisions
-- These decisions, where nobody was asked about them.
DELETE FROM decision WHERE id IN (SELECT value FROM json_each(:ids))
  AND NOT EXISTS (SELECT 1 FROM approval AS a WHERE a.decision_id = decision.id)
