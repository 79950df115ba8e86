-- :name insert
-- One question to people; nothing changes where its id is taken.
INSERT INTO approval (
  id, repo_id, seq, decision_id, run_id, who, point, actions, shown, digest, head, rules, makers, state, asked_at_ms,
  until_ms
) VALUES (
  :id, :repo_id, :seq, :decision_id, :run_id, :who, :point, :actions, :shown, :digest, :head, :rules, :makers, 'asked',
  :asked_at_ms, :until_ms
)
ON CONFLICT (id) DO NOTHING

-- :name of_digest
-- The questions about exactly one action, newest first.
SELECT id, repo_id, decision_id, run_id, who, point, actions, shown, digest, head, rules, makers, state, asked_at_ms,
  until_ms, used_at
FROM approval WHERE repo_id = :repo_id AND digest = :digest ORDER BY seq DESC LIMIT :limit

-- :name get
-- One question.
SELECT id, repo_id, decision_id, run_id, who, point, actions, shown, digest, head, rules, makers, state, asked_at_ms,
  until_ms, used_at
FROM approval WHERE id = :id

-- :name open
-- What waits for people in a repo, oldest first.
SELECT id, repo_id, decision_id, run_id, who, point, actions, shown, digest, head, rules, makers, state, asked_at_ms,
  until_ms, used_at
FROM approval WHERE repo_id = :repo_id AND state IN ('asked', 'granted') AND state = 'asked'
  AND until_ms > :now_ms
ORDER BY seq LIMIT :limit

-- :name waiting_of
-- How many questions of one asker wait in a repo.
SELECT COUNT(*) AS number FROM approval
WHERE repo_id = :repo_id AND state IN ('asked', 'granted') AND state = 'asked' AND who = :who

-- :name overdue
-- What time has answered, in a repo.
SELECT id, state, run_id, until_ms FROM approval
WHERE repo_id = :repo_id AND state IN ('asked', 'granted') AND until_ms <= :now_ms
ORDER BY seq LIMIT :limit

-- :name answers
-- What people said to one question, first to last.
SELECT who, called, roles, verdict, why, answered_at_ms FROM approval_answer
WHERE approval_id = :id ORDER BY answered_at_ms, who

-- :name answer
-- What one person says; nothing changes where they have.
INSERT INTO approval_answer (approval_id, who, called, roles, verdict, why, answered_at_ms)
VALUES (:approval_id, :who, :called, :roles, :verdict, :why, :answered_at_ms)
ON CONFLICT (approval_id, who) DO NOTHING

-- :name settle
-- What became of a question.
UPDATE approval SET state = :state, until_ms = :until_ms WHERE id = :id

-- :name use
-- An approval let its action through this point.
UPDATE approval SET state = 'used', used_at = :used_at WHERE id = :id AND state IN ('granted', 'used')
