-- :name latest
-- The last decisions of a repo, newest first: all, or those of one answer.
SELECT id, repo_id, run_id, who, point, actions, subject, answer, reasons, policy, decided_at_ms
FROM decision WHERE repo_id = :repo_id AND :answer IN ('', answer)
ORDER BY decided_at_ms DESC, id DESC LIMIT :limit

-- :name before
-- The same of those before one, by its time and, within that, its id.
SELECT id, repo_id, run_id, who, point, actions, subject, answer, reasons, policy, decided_at_ms
FROM decision WHERE repo_id = :repo_id AND :answer IN ('', answer) AND decided_at_ms <= :before_ms
  AND (decided_at_ms < :before_ms OR id < :before)
ORDER BY decided_at_ms DESC, id DESC LIMIT :limit

-- :name place
-- When a decision of a repo was made.
SELECT decided_at_ms FROM decision WHERE id = :id AND repo_id = :repo_id
