-- What a hook need not judge again: by which settings and rules an agent's steps in a worktree were judged (`stamp` is
-- what the file system said of their files), and each step that was found allowed by them: an edited file by its path, a
-- shell line by its text. `told` steps are warnings that were given once. `patterns` is a list of what the rules on edits
-- are about, and NULL where they may be about any file. Kept for a week.
CREATE TABLE judging (
  session TEXT NOT NULL,
  agent TEXT NOT NULL,
  folder TEXT NOT NULL,
  stamp TEXT NOT NULL,
  is_plain INTEGER NOT NULL CHECK (is_plain IN (0, 1)),
  patterns TEXT,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (session, agent, folder)
) STRICT, WITHOUT ROWID;
CREATE INDEX judging_over ON judging (expires_at_ms);

CREATE TABLE judged (
  session TEXT NOT NULL,
  agent TEXT NOT NULL,
  folder TEXT NOT NULL,
  step TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (session, agent, folder, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX judged_over ON judged (expires_at_ms);

-- Shell lines that run: since when by the clock of files, in which worktree, and from which commit.
CREATE TABLE line (
  session TEXT NOT NULL,
  tool_use TEXT NOT NULL,
  agent TEXT NOT NULL,
  folder TEXT NOT NULL,
  began_at_ms INTEGER NOT NULL,
  head TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (session, tool_use)
) STRICT, WITHOUT ROWID;
CREATE INDEX line_over ON line (expires_at_ms);
