-- :name run
-- A run, and the person whose it is.
SELECT id AS run, loop, principal AS person, goal, state, status, branch, paths, checks_run, parent_id AS parent,
  finding, started_at_ms AS at_ms FROM run WHERE id = :id

-- :name claim
-- A claim, held or ended.
SELECT id AS claim, run_id AS run, intent, mode, patterns AS paths, fence, ended_how AS ended, ended_why, granted_at_ms AS at_ms
FROM claim WHERE id = :id

-- :name note
-- A note, also one that another took the place of.
SELECT id AS note, kind, authority, who, run_id AS run, text, paths, addressee AS "to", supersedes, superseded_by,
  contradicts, shared_at_ms AS at_ms FROM note WHERE id = :id

-- :name out
-- An outcome.
SELECT id AS outcome, run_id AS run, about_run, role, status, summary, passed, failed, failing, tried, finding, commits,
  links, next_action AS next, recorded_at_ms AS at_ms FROM outcome WHERE id = :id

-- :name dec
-- A decision of the policy, with the rules that spoke.
SELECT id AS decision, answer, actions, who, run_id AS run, point, subject, reasons, policy, decided_at_ms AS at_ms
FROM decision WHERE id = :id

-- :name apr
-- What a decision asked of people, and what they said, or time has said instead.
SELECT a.id AS approval,
  CASE WHEN a.until_ms > :now_ms OR a.state NOT IN ('asked', 'granted') THEN a.state
       WHEN a.state = 'asked' THEN 'denied' ELSE 'expired' END AS state,
  a.decision_id AS decision, a.who, a.run_id AS run, a.point, a.actions, a.shown, a.head,
  a.rules, a.used_at, (
    SELECT json_group_array(json_object('who', b.who, 'verdict', b.verdict, 'why', b.why))
    FROM approval_answer AS b WHERE b.approval_id = a.id
  ) AS answers, a.asked_at_ms AS at_ms
FROM approval AS a WHERE a.id = :id

-- :name apr@postgres
-- As above.
SELECT a.id AS approval,
  CASE WHEN a.until_ms > :now_ms OR a.state NOT IN ('asked', 'granted') THEN a.state
       WHEN a.state = 'asked' THEN 'denied' ELSE 'expired' END AS state,
  a.decision_id AS decision, a.who, a.run_id AS run, a.point, a.actions, a.shown, a.head,
  a.rules, a.used_at, (
    SELECT CAST(COALESCE(json_agg(json_build_object('who', b.who, 'verdict', b.verdict, 'why', b.why)), '[]') AS TEXT)
    FROM approval_answer AS b WHERE b.approval_id = a.id
  ) AS answers, a.asked_at_ms AS at_ms
FROM approval AS a WHERE a.id = :id

-- :name evid
-- What was told of a commit.
SELECT id AS evidence, kind, passed, sha AS "commit", who, link, added_at_ms AS at_ms FROM evidence WHERE id = :id

-- :name conf
-- A conflict, and with whose change.
SELECT id AS conflict, kind, verdict, run_id AS run, sha AS "commit", title, who AS with_whom, with_run, paths, intent,
  evidence, state, how, found_at_ms AS at_ms FROM conflict WHERE id = :id

-- :name intents_of_run
-- The notes by which a run said what it changes on purpose, the last ones first.
SELECT id FROM note WHERE run_id = :run_id AND kind = 'intent' ORDER BY number DESC LIMIT :limit

-- :name dep
-- A deploy, and what let it through.
SELECT id AS deploy, environment, sha AS "commit", called, kind, previous, how, who, decision, covers,
  deployed_at_ms AS at_ms FROM deploy WHERE id = :id
