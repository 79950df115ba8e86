-- :name insert
-- A conflict that was found; nothing changes where its id is taken.
INSERT INTO conflict (id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence,
  landed_at_ms, found_at_ms, marks, own_marks, holder, signer, account)
VALUES (:id, :repo_id, :run_id, :seq, :kind, :verdict, :sha, :title, :who, :with_run, :paths, :intent, :evidence,
  :landed_at_ms, :found_at_ms, :marks, :own_marks, :holder, :signer, :account)
ON CONFLICT (id) DO NOTHING

-- :name update
-- It is found again, and may look different by now.
UPDATE conflict SET kind = :kind, verdict = :verdict, paths = :paths, intent = :intent, evidence = :evidence,
  marks = :marks, own_marks = :own_marks, holder = :holder, signer = :signer, account = :account
WHERE id = :id

-- :name of_run
-- The open conflicts of a run, oldest first.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how, marks, own_marks, holder, signer, account, agreed_by
FROM conflict WHERE run_id = :run_id AND state = 'open' ORDER BY seq

-- :name open
-- The open conflicts of a repo, newest first: all, or those of one verdict.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how, marks, own_marks, holder, signer, account, agreed_by
FROM conflict WHERE repo_id = :repo_id AND state = 'open' AND :verdict IN ('', verdict) ORDER BY seq DESC LIMIT :limit

-- :name end
-- It is open no longer.
UPDATE conflict SET state = :state, how = :how, agreed_by = :agreed_by, ended_at_ms = :now_ms WHERE id = :id

-- :name get
-- One conflict.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how, marks, own_marks, holder, signer, account, agreed_by
FROM conflict WHERE id = :id

-- :name agreed
-- To which losses of a landed change somebody agreed, and whose they were; not where it was a note that holds no longer.
SELECT c.id, c.marks, c.signer, c.account, c.holder, c.how, c.agreed_by, COALESCE(n.text, '') AS said, r.loop || '@' || r.principal AS lander,
  COALESCE(n.id, '') AS note, COALESCE(s.session, '') AS session
FROM conflict AS c JOIN run AS r ON r.id = c.run_id
LEFT JOIN note AS n ON n.id = c.agreed_by LEFT JOIN run AS s ON s.id = n.run_id
WHERE c.repo_id = :repo_id AND c.sha = :sha AND c.agreed_by <> ''
  AND (n.id IS NULL OR (n.superseded_by = '' AND (n.expires_at_ms IS NULL OR n.expires_at_ms > :now_ms)))
ORDER BY c.seq DESC

-- :name open_of_holder
-- The open conflicts about what somebody holds.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how, marks, own_marks, holder, signer, account, agreed_by
FROM conflict WHERE repo_id = :repo_id AND state = 'open' AND holder = :holder ORDER BY seq

-- :name open_since
-- The open conflicts of a repo that were found after a cursor, oldest first.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how, marks, own_marks, holder, signer, account, agreed_by
FROM conflict WHERE repo_id = :repo_id AND seq > :since AND state = 'open' ORDER BY seq LIMIT :limit

-- :name told_otherwise
-- The landed changes of other sessions that this one was told not to take back, while it ran as another loop.
SELECT DISTINCT c.sha FROM run AS r JOIN conflict AS c ON c.run_id = r.id LEFT JOIN run AS w ON w.id = c.with_run
WHERE r.principal = :principal AND r.session = :session AND r.loop <> :loop AND c.agreed_by = ''
  AND (w.id IS NULL OR w.session <> r.session)

-- :name latest
-- The last conflicts of a repo, newest first: all, or those of one state.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how, marks, own_marks, holder, signer, account, agreed_by
FROM conflict WHERE repo_id = :repo_id AND :state IN ('', state) ORDER BY found_at_ms DESC, id DESC LIMIT :limit

-- :name before
-- The same of those before one, by its time and, within that, its id.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how, marks, own_marks, holder, signer, account, agreed_by
FROM conflict WHERE repo_id = :repo_id AND :state IN ('', state) AND found_at_ms <= :before_ms
  AND (found_at_ms < :before_ms OR id < :before)
ORDER BY found_at_ms DESC, id DESC LIMIT :limit
