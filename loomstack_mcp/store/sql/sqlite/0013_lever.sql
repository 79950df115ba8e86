-- People step in, and are told outside the terminal of what waits for them.

-- Who ended a claim that its run did not give back, and why.
ALTER TABLE claim ADD COLUMN ended_why TEXT NOT NULL DEFAULT '';

-- What people are to be told by their webhook. `due_at_ms` is when somebody may next try; who takes a notice moves that
-- into the future, so that nobody else tries meanwhile. It goes once it was sent, is settled, or is a day old. `answered`
-- is what was wrong with the last try.
CREATE TABLE notice (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  kind TEXT NOT NULL,
  about TEXT NOT NULL,
  run_id TEXT NOT NULL,
  text TEXT NOT NULL,
  made_at_ms INTEGER NOT NULL,
  due_at_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  answered TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX notice_due ON notice (due_at_ms);
CREATE INDEX notice_made ON notice (made_at_ms);
CREATE INDEX notice_about ON notice (about);
