-- Rows of one repo as they go from one store into another, table by table. A column that is added to a table
-- is added here: a test compares them.

-- :name run_rows
-- Its runs.
SELECT id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths, principal, session,
  agent, state, status, seq, ttl_ms, expires_at_ms, started_at_ms, seen_at_ms, ended_at_ms, boot_id,
  wall_ahead_ms, process, origin
FROM run WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_run
-- Its runs.
INSERT INTO run (id, repo_id, parent_id, checks_run, loop, goal, key, finding, branch, worktree, paths,
  principal, session,
  agent, state, status, seq, ttl_ms, expires_at_ms, started_at_ms, seen_at_ms, ended_at_ms, boot_id,
  wall_ahead_ms, process, origin)
VALUES (:id, :repo_id, :parent_id, :checks_run, :loop, :goal, :key, :finding, :branch, :worktree, :paths, :principal,
  :session, :agent, :state, :status, :seq, :ttl_ms, :expires_at_ms, :started_at_ms, :seen_at_ms, :ended_at_ms,
  :boot_id, :wall_ahead_ms, :process, :origin)

-- :name claim_rows
-- Its claims.
SELECT id, repo_id, run_id, fence, mode, intent, patterns, ttl_ms, granted_at_ms, ended_at_ms, ended_how, origin,
  own_until_ms, boot_id, wall_ahead_ms, worktree, ended_why
FROM claim WHERE repo_id = :repo_id ORDER BY fence LIMIT :limit OFFSET :offset

-- :name put_claim
-- Its claims.
INSERT INTO claim (id, repo_id, run_id, fence, mode, intent, patterns, ttl_ms, granted_at_ms, ended_at_ms,
  ended_how, origin,
  own_until_ms, boot_id, wall_ahead_ms, worktree, ended_why)
VALUES (:id, :repo_id, :run_id, :fence, :mode, :intent, :patterns, :ttl_ms, :granted_at_ms, :ended_at_ms, :ended_how,
  :origin, :own_until_ms, :boot_id, :wall_ahead_ms, :worktree, :ended_why)

-- :name waiter_rows
-- Its waiters.
SELECT id, repo_id, run_id, seq, mode, intent, patterns, place_until_ms
FROM waiter WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_waiter
-- Its waiters.
INSERT INTO waiter (id, repo_id, run_id, seq, mode, intent, patterns, place_until_ms)
VALUES (:id, :repo_id, :run_id, :seq, :mode, :intent, :patterns, :place_until_ms)

-- :name path_key_rows
-- Where its things lie.
SELECT repo_id, noun, key, extension, id, pattern
FROM path_key WHERE repo_id = :repo_id ORDER BY noun, key, extension, id, pattern LIMIT :limit OFFSET :offset

-- :name put_path_key
-- Where its things lie.
INSERT INTO path_key (repo_id, noun, key, extension, id, pattern)
VALUES (:repo_id, :noun, :key, :extension, :id, :pattern)

-- :name note_rows
-- Its notes.
SELECT id, repo_id, run_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, contradicts,
  shared_at_ms, expires_at_ms, superseded_by
FROM note WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_note
-- Its notes.
INSERT INTO note (id, repo_id, run_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes,
  contradicts,
  shared_at_ms, expires_at_ms, superseded_by)
VALUES (:id, :repo_id, :run_id, :seq, :kind, :authority, :who, :loop, :text, :paths, :addressee, :supersedes,
  :contradicts, :shared_at_ms, :expires_at_ms, :superseded_by)

-- :name note_expiry_rows
-- When its notes leave the index of paths.
SELECT repo_id, expires_at_ms, id
FROM note_expiry WHERE repo_id = :repo_id ORDER BY expires_at_ms, id LIMIT :limit OFFSET :offset

-- :name put_note_expiry
-- When its notes leave the index of paths.
INSERT INTO note_expiry (repo_id, expires_at_ms, id)
VALUES (:repo_id, :expires_at_ms, :id)

-- :name outcome_rows
-- Its outcomes.
SELECT id, repo_id, run_id, about_run, seq, role, status, summary, passed, failed, failing, tried, finding, commits,
  links, attempt, rework, next_action, recorded_at_ms
FROM outcome WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_outcome
-- Its outcomes.
INSERT INTO outcome (id, repo_id, run_id, about_run, seq, role, status, summary, passed, failed, failing,
  tried, finding, commits,
  links, attempt, rework, next_action, recorded_at_ms)
VALUES (:id, :repo_id, :run_id, :about_run, :seq, :role, :status, :summary, :passed, :failed, :failing, :tried,
  :finding, :commits, :links, :attempt, :rework, :next_action, :recorded_at_ms)

-- :name event_rows
-- Its log.
SELECT repo_id, seq, at_ms, kind, run_id, about, payload
FROM event WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_event
-- Its log.
INSERT INTO event (repo_id, seq, at_ms, kind, run_id, about, payload)
VALUES (:repo_id, :seq, :at_ms, :kind, :run_id, :about, :payload)

-- :name binding_rows
-- Which of its runs made which commits.
SELECT repo_id, short, sha, run_id, bound_by, imprinted, seen, made_at_ms
FROM binding WHERE repo_id = :repo_id ORDER BY short, sha, run_id LIMIT :limit OFFSET :offset

-- :name put_binding
-- Which of its runs made which commits.
INSERT INTO binding (repo_id, short, sha, run_id, bound_by, imprinted, seen, made_at_ms)
VALUES (:repo_id, :short, :sha, :run_id, :bound_by, :imprinted, :seen, :made_at_ms)

-- :name conflict_rows
-- Its conflicts.
SELECT id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent, evidence, landed_at_ms,
  found_at_ms, state, how, ended_at_ms, marks, own_marks, holder, signer, account, agreed_by
FROM conflict WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_conflict
-- Its conflicts.
INSERT INTO conflict (id, repo_id, run_id, seq, kind, verdict, sha, title, who, with_run, paths, intent,
  evidence, landed_at_ms,
  found_at_ms, state, how, ended_at_ms, marks, own_marks, holder, signer, account, agreed_by)
VALUES (:id, :repo_id, :run_id, :seq, :kind, :verdict, :sha, :title, :who, :with_run, :paths, :intent, :evidence,
  :landed_at_ms, :found_at_ms, :state, :how, :ended_at_ms, :marks, :own_marks, :holder, :signer, :account, :agreed_by)

-- :name decision_rows
-- Its decisions.
SELECT id, repo_id, run_id, who, point, actions, subject, answer, reasons, policy, decided_at_ms, about_run, head
FROM decision WHERE repo_id = :repo_id ORDER BY decided_at_ms, id LIMIT :limit OFFSET :offset

-- :name put_decision
-- Its decisions.
INSERT INTO decision (id, repo_id, run_id, who, point, actions, subject, answer, reasons, policy, decided_at_ms,
  about_run, head)
VALUES (:id, :repo_id, :run_id, :who, :point, :actions, :subject, :answer, :reasons, :policy, :decided_at_ms,
  :about_run, :head)

-- :name approval_rows
-- What it asked of people.
SELECT id, repo_id, seq, decision_id, run_id, who, point, actions, shown, digest, head, rules, makers, state,
  asked_at_ms, until_ms, used_at
FROM approval WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_approval
-- What it asked of people.
INSERT INTO approval (id, repo_id, seq, decision_id, run_id, who, point, actions, shown, digest, head, rules,
  makers, state,
  asked_at_ms, until_ms, used_at)
VALUES (:id, :repo_id, :seq, :decision_id, :run_id, :who, :point, :actions, :shown, :digest, :head, :rules, :makers,
  :state, :asked_at_ms, :until_ms, :used_at)

-- :name evidence_rows
-- What was told of its commits.
SELECT id, repo_id, seq, sha, kind, passed, who, link, added_at_ms
FROM evidence WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_evidence
-- What was told of its commits.
INSERT INTO evidence (id, repo_id, seq, sha, kind, passed, who, link, added_at_ms)
VALUES (:id, :repo_id, :seq, :sha, :kind, :passed, :who, :link, :added_at_ms)

-- :name deploy_rows
-- What was deployed of it.
SELECT id, repo_id, seq, environment, sha, called, kind, previous, how, who, decision, covers, is_cut, whole,
  deployed_at_ms, recorded_at_ms
FROM deploy WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name put_deploy
-- What was deployed of it.
INSERT INTO deploy (id, repo_id, seq, environment, sha, called, kind, previous, how, who, decision, covers, is_cut, whole,
  deployed_at_ms, recorded_at_ms)
VALUES (:id, :repo_id, :seq, :environment, :sha, :called, :kind, :previous, :how, :who, :decision, :covers, :is_cut,
  :whole, :deployed_at_ms, :recorded_at_ms)

-- :name deploy_commit_rows
-- Which commits came with what was deployed.
SELECT repo_id, sha, deploy_id, place
FROM deploy_commit WHERE repo_id = :repo_id ORDER BY sha, deploy_id LIMIT :limit OFFSET :offset

-- :name put_deploy_commit
-- Which commits came with what was deployed.
INSERT INTO deploy_commit (repo_id, sha, deploy_id, place) VALUES (:repo_id, :sha, :deploy_id, :place)

-- :name notice_rows
-- What people are still to be told of it.
SELECT id, repo_id, kind, about, run_id, text, made_at_ms, due_at_ms, tries, answered
FROM notice WHERE repo_id = :repo_id ORDER BY made_at_ms, id LIMIT :limit OFFSET :offset

-- :name put_notice
-- What people are still to be told of it.
INSERT INTO notice (id, repo_id, kind, about, run_id, text, made_at_ms, due_at_ms, tries, answered)
VALUES (:id, :repo_id, :kind, :about, :run_id, :text, :made_at_ms, :due_at_ms, :tries, :answered)

-- :name alert_rows
-- What its runs are to hear, or heard.
SELECT a.run_id, a.seq, a.kind, a.about, a.text, a.who, a.deliveries
FROM alert AS a JOIN run AS r ON r.id = a.run_id WHERE r.repo_id = :repo_id
ORDER BY a.run_id, a.seq, a.about LIMIT :limit OFFSET :offset

-- :name put_alert
-- What its runs are to hear, or heard.
INSERT INTO alert (run_id, seq, kind, about, text, who, deliveries)
VALUES (:run_id, :seq, :kind, :about, :text, :who, :deliveries)

-- :name approval_answer_rows
-- What people said.
SELECT b.approval_id, b.who, b.called, b.roles, b.verdict, b.why, b.answered_at_ms
FROM approval_answer AS b JOIN approval AS a ON a.id = b.approval_id WHERE a.repo_id = :repo_id
ORDER BY b.approval_id, b.who LIMIT :limit OFFSET :offset

-- :name put_approval_answer
-- What people said.
INSERT INTO approval_answer (approval_id, who, called, roles, verdict, why, answered_at_ms)
VALUES (:approval_id, :who, :called, :roles, :verdict, :why, :answered_at_ms)

-- :name landed_rows
-- What landed.
SELECT repo_id, sha, at_ms, made_at_ms, author, account, title, run_id, said, whole, is_trunk, meaning, bound_by,
  hints
FROM landed WHERE repo_id = :repo_id ORDER BY sha LIMIT :limit OFFSET :offset

-- :name put_landed
-- What landed; it is numbered anew.
INSERT INTO landed (repo_id, sha, at_ms, made_at_ms, author, account, title, run_id, said, whole, is_trunk,
  meaning, bound_by,
  hints)
VALUES (:repo_id, :sha, :at_ms, :made_at_ms, :author, :account, :title, :run_id, :said, :whole, :is_trunk, :meaning,
  :bound_by, :hints)

-- :name landed_file_rows
-- The files of what landed, by its commit instead of its number.
SELECT l.sha, f.repo_id, f.path, f.old_path, f.before, f.after, f.hunks
FROM landed AS l JOIN landed_file AS f ON f.landed = l.number WHERE l.repo_id = :repo_id
ORDER BY l.sha, f.path LIMIT :limit OFFSET :offset

-- :name put_landed_file
-- A file of what landed.
INSERT INTO landed_file (landed, repo_id, path, old_path, before, after, hunks)
SELECT l.number, :repo_id, :path, :old_path, :before, :after, :hunks
FROM landed AS l WHERE l.repo_id = :repo_id AND l.sha = :sha

-- :name imprint_rows
-- What its runs made.
SELECT repo_id, run_id, meaning, seen_at_ms, made_at_ms, lines, older
FROM imprint WHERE repo_id = :repo_id ORDER BY run_id, meaning LIMIT :limit OFFSET :offset

-- :name put_imprint
-- What a run made; it is numbered anew.
INSERT INTO imprint (repo_id, run_id, meaning, seen_at_ms, made_at_ms, lines, older)
VALUES (:repo_id, :run_id, :meaning, :seen_at_ms, :made_at_ms, :lines, :older)

-- :name imprint_mark_rows
-- The marks of what its runs made, by run and meaning instead of its number.
SELECT i.run_id, i.meaning, m.mark
FROM imprint AS i JOIN imprint_mark AS m ON m.imprint = i.number WHERE i.repo_id = :repo_id
ORDER BY i.run_id, i.meaning, m.mark LIMIT :limit OFFSET :offset

-- :name put_imprint_mark
-- A mark of what a run made.
INSERT INTO imprint_mark (mark, imprint)
SELECT :mark, i.number FROM imprint AS i WHERE i.run_id = :run_id AND i.meaning = :meaning

-- :name pull_rows
-- Which pull requests its runs named.
SELECT repo_id, number, run_id FROM pull WHERE repo_id = :repo_id
ORDER BY number, run_id LIMIT :limit OFFSET :offset

-- :name put_pull
-- A pull request that a run named.
INSERT INTO pull (repo_id, number, run_id) VALUES (:repo_id, :number, :run_id)

-- :name attribution_rows
-- Whose its commits are.
SELECT repo_id, sha, run_id, bound_by, confidence, flags, mentions, title, author, made_at_ms, landed_at_ms
FROM attribution WHERE repo_id = :repo_id ORDER BY sha LIMIT :limit OFFSET :offset

-- :name put_attribution
-- Whose a commit is; it is numbered anew.
INSERT INTO attribution (repo_id, sha, run_id, bound_by, confidence, flags, mentions, title, author, made_at_ms,
  landed_at_ms)
VALUES (:repo_id, :sha, :run_id, :bound_by, :confidence, :flags, :mentions, :title, :author, :made_at_ms,
  :landed_at_ms)

-- :name attribution_run_rows
-- The candidates of its commits, by the commit instead of a number.
SELECT a.repo_id, a.sha, r.place, r.run_id, r.bound_by, r.confidence
FROM attribution AS a JOIN attribution_run AS r ON r.attribution = a.number WHERE a.repo_id = :repo_id
ORDER BY a.sha, r.place LIMIT :limit OFFSET :offset

-- :name put_attribution_run
-- A candidate of a commit.
INSERT INTO attribution_run (attribution, place, run_id, bound_by, confidence)
SELECT a.number, :place, :run_id, :bound_by, :confidence
FROM attribution AS a WHERE a.repo_id = :repo_id AND a.sha = :sha

-- :name attribution_line_rows
-- Who wrote which of their lines.
SELECT a.repo_id, a.sha, l.line, l.place
FROM attribution AS a JOIN attribution_line AS l ON l.attribution = a.number WHERE a.repo_id = :repo_id
ORDER BY a.sha, l.line, l.place LIMIT :limit OFFSET :offset

-- :name put_attribution_line
-- Who wrote a line.
INSERT INTO attribution_line (attribution, line, place)
SELECT a.number, :line, :place FROM attribution AS a WHERE a.repo_id = :repo_id AND a.sha = :sha

-- :name attribution_revert_rows
-- What its commits take back.
SELECT a.repo_id, a.sha, r.reverted, r.short
FROM attribution AS a JOIN attribution_revert AS r ON r.attribution = a.number WHERE a.repo_id = :repo_id
ORDER BY a.sha, r.reverted LIMIT :limit OFFSET :offset

-- :name put_attribution_revert
-- What a commit takes back.
INSERT INTO attribution_revert (attribution, reverted, short)
SELECT a.number, :reverted, :short FROM attribution AS a WHERE a.repo_id = :repo_id AND a.sha = :sha

-- :name advance
-- The next sequence number is behind all that came.
UPDATE repo SET seq = :seq WHERE id = :repo_id AND seq < :seq

-- :name copied
-- Whether a repo of another store, by what tells it, was copied here before; and how far that had gone.
SELECT payload FROM event WHERE repo_id = :repo_id AND kind = 'repo.copied' AND about = :about
ORDER BY seq DESC LIMIT 1

-- :name first_event
-- With what its log begins.
SELECT seq, at_ms, kind, about FROM event WHERE repo_id = :repo_id ORDER BY seq LIMIT 1

-- :name made
-- Since when it is known, and up to where its ledger is filled.
SELECT seq, ignore_case, created_at_ms, filled FROM repo WHERE id = :repo_id

-- :name taken_ids
-- Which of these ids something has already.
SELECT j.value AS id FROM json_each(:ids) AS j
WHERE EXISTS (SELECT 1 FROM run AS a WHERE a.id = j.value) OR EXISTS (SELECT 1 FROM claim AS b WHERE b.id = j.value)
  OR EXISTS (SELECT 1 FROM waiter AS c WHERE c.id = j.value) OR EXISTS (SELECT 1 FROM note AS d WHERE d.id = j.value)
  OR EXISTS (SELECT 1 FROM outcome AS e WHERE e.id = j.value)
  OR EXISTS (SELECT 1 FROM conflict AS f WHERE f.id = j.value)
  OR EXISTS (SELECT 1 FROM decision AS g WHERE g.id = j.value)
  OR EXISTS (SELECT 1 FROM approval AS h WHERE h.id = j.value)
  OR EXISTS (SELECT 1 FROM evidence AS i WHERE i.id = j.value)
  OR EXISTS (SELECT 1 FROM notice AS k WHERE k.id = j.value)
  OR EXISTS (SELECT 1 FROM deploy AS l WHERE l.id = j.value)

-- :name put_filled
-- Its ledger came along, filled as far as it was.
UPDATE repo SET filled = :filled WHERE id = :repo_id

-- :name unprint
-- What the runs of a repo made is to be read again.
UPDATE binding SET imprinted = 0 WHERE repo_id = :repo_id AND imprinted <> 0

-- :name usage_rows
-- What its runs consumed of models.
SELECT u.run_id, u.model, u.requests, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens,
  u.cost_micro_usd, u.unpriced, u.last_at_ms
FROM usage AS u JOIN run AS r ON r.id = u.run_id WHERE r.repo_id = :repo_id
ORDER BY u.run_id, u.model LIMIT :limit OFFSET :offset

-- :name put_usage
-- What a run consumed of a model.
INSERT INTO usage (run_id, model, requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
  cost_micro_usd, unpriced, last_at_ms)
VALUES (:run_id, :model, :requests, :input_tokens, :output_tokens, :cache_read_tokens, :cache_write_tokens,
  :cost_micro_usd, :unpriced, :last_at_ms)

-- :name usage_permission_rows
-- What tools of its runs were let do.
SELECT p.run_id, p.source, p.accepted, p.rejected
FROM usage_permission AS p JOIN run AS r ON r.id = p.run_id WHERE r.repo_id = :repo_id
ORDER BY p.run_id, p.source LIMIT :limit OFFSET :offset

-- :name put_usage_permission
-- What tools of a run were let do.
INSERT INTO usage_permission (run_id, source, accepted, rejected) VALUES (:run_id, :source, :accepted, :rejected)
