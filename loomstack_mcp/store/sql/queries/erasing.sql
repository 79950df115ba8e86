-- What people wrote, in the rows of one repo; and the rows without it, with their numbers and times.

-- :name words_of_run
-- Runs.
SELECT id, principal, loop, goal, key, finding, branch, worktree, paths, session, agent, process, status
FROM run WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_run
-- Runs.
UPDATE run SET principal = :principal, goal = :goal, key = :key, finding = :finding, branch = :branch,
  worktree = :worktree, paths = :paths, session = :session, agent = :agent, process = :process, status = :status
WHERE id = :id

-- :name words_of_claim
-- Claims.
SELECT id, run_id, intent, patterns, worktree, ended_why
FROM claim WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_claim
-- Claims.
UPDATE claim SET intent = :intent, patterns = :patterns, worktree = :worktree, ended_why = :ended_why
WHERE id = :id

-- :name words_of_note
-- Notes.
SELECT id, run_id, who, loop, text, paths, addressee
FROM note WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_note
-- Notes.
UPDATE note SET who = :who, text = :text, paths = :paths, addressee = :addressee
WHERE id = :id

-- :name words_of_outcome
-- Outcomes.
SELECT id, run_id, summary, failing, tried, finding, links
FROM outcome WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_outcome
-- Outcomes.
UPDATE outcome SET summary = :summary, failing = :failing, tried = :tried, finding = :finding, links = :links
WHERE id = :id

-- :name words_of_event
-- The log.
SELECT repo_id, seq, run_id, about, payload
FROM event WHERE repo_id = :repo_id ORDER BY seq LIMIT :limit OFFSET :offset

-- :name erase_event
-- The log.
UPDATE event SET about = :about, payload = :payload
WHERE repo_id = :repo_id AND seq = :seq

-- :name words_of_conflict
-- Conflicts.
SELECT id, run_id, with_run, title, who, holder, signer, account, agreed_by, paths, own_marks, intent, evidence, how
FROM conflict WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_conflict
-- Conflicts.
UPDATE conflict SET title = :title, who = :who, holder = :holder, signer = :signer, account = :account,
  agreed_by = :agreed_by, paths = :paths, own_marks = :own_marks, intent = :intent, evidence = :evidence,
  how = :how
WHERE id = :id

-- :name words_of_decision
-- Decisions.
SELECT id, run_id, who, subject, reasons
FROM decision WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_decision
-- Decisions.
UPDATE decision SET who = :who, subject = :subject, reasons = :reasons
WHERE id = :id

-- :name words_of_approval
-- What was asked of people.
SELECT id, run_id, who, shown, makers, used_at
FROM approval WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_approval
-- What was asked of people.
UPDATE approval SET who = :who, shown = :shown, makers = :makers, used_at = :used_at
WHERE id = :id

-- :name words_of_evidence
-- Evidence.
SELECT id, who, link
FROM evidence WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_evidence
-- Evidence.
UPDATE evidence SET who = :who, link = :link
WHERE id = :id

-- :name words_of_deploy
-- Deploys.
SELECT id, who, called
FROM deploy WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_deploy
-- Deploys.
UPDATE deploy SET who = :who, called = :called
WHERE id = :id

-- :name words_of_notice
-- What people are still to be told.
SELECT id, run_id, about, text, answered
FROM notice WHERE repo_id = :repo_id ORDER BY id LIMIT :limit OFFSET :offset

-- :name erase_notice
-- What people are still to be told.
UPDATE notice SET text = :text, answered = :answered
WHERE id = :id

-- :name words_of_alert
-- What runs are to hear, or heard.
SELECT a.run_id, a.seq, a.about, a.text, a.who
FROM alert AS a JOIN run AS r ON r.id = a.run_id WHERE r.repo_id = :repo_id
ORDER BY a.run_id, a.seq, a.about LIMIT :limit OFFSET :offset

-- :name erase_alert
-- What a run is to hear, or heard.
UPDATE alert SET text = :text, who = :who WHERE run_id = :run_id AND seq = :seq AND about = :about

-- :name words_of_approval_answer
-- What people said.
SELECT b.approval_id, b.who AS was, b.who, b.called, b.why
FROM approval_answer AS b JOIN approval AS a ON a.id = b.approval_id WHERE a.repo_id = :repo_id
ORDER BY b.approval_id, b.who LIMIT :limit OFFSET :offset

-- :name erase_approval_answer
-- What a person said.
UPDATE approval_answer SET who = :who, called = :called, why = :why WHERE approval_id = :approval_id AND who = :was

-- :name words_of_landed
-- Whose what landed is, as git names them.
SELECT number, author, account,
  title FROM landed WHERE repo_id = :repo_id ORDER BY number LIMIT :limit OFFSET :offset

-- :name erase_landed
-- Whose what landed is.
UPDATE landed SET author = :author, account = :account, title = :title WHERE number = :number

-- :name words_of_attribution
-- Whose commits are, as git names them.
SELECT number, author, title, mentions FROM attribution WHERE repo_id = :repo_id
ORDER BY number LIMIT :limit OFFSET :offset

-- :name erase_attribution
-- Whose a commit is.
UPDATE attribution SET author = :author, title = :title, mentions = :mentions WHERE number = :number

-- :name live
-- Live runs, which would lose what they are about. One whose lease is over holds nothing that others would miss.
SELECT id, principal, repo_id FROM run WHERE state = 'live'
  AND expires_at_ms + CASE WHEN boot_id = :boot_id THEN 0 ELSE wall_ahead_ms + :lease_ahead_ms END > :now_ms

-- :name note
-- What one note says, and of which repo it is.
SELECT repo_id, text FROM note WHERE id = :id

-- :name forget_names
-- Nothing stands for a repo any more.
DELETE FROM repo_alias WHERE repo_id = :repo_id

-- :name forget_sightings
-- Where agents were seen to edit, and whose calls were seen.
DELETE FROM sighting

-- :name forget_bearings
-- What git said of worktrees.
DELETE FROM bearing

-- :name forget_judgings
-- What was judged.
DELETE FROM judging

-- :name forget_judged
-- Each step that was.
DELETE FROM judged

-- :name forget_lines
-- Shell lines that run.
DELETE FROM line

-- :name forget_answers
-- What was answered to calls that may be sent again.
DELETE FROM once

-- :name forget_imprints
-- What the runs of a repo made.
DELETE FROM imprint WHERE repo_id = :repo_id

-- :name forget_paths
-- Where the things of a repo lie.
DELETE FROM path_key WHERE repo_id = :repo_id

-- :name forget_expiry
-- When a note leaves the index of paths.
DELETE FROM note_expiry WHERE repo_id = :repo_id AND id = :id

-- :name forget_usage_entries
-- What clients told within a day: what is counted of it stays counted.
DELETE FROM usage_entry
