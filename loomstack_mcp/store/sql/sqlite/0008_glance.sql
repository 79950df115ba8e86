-- What the file system said of the files that a worktree's settings are read from, when a hook last looked at an edit in
-- it the full way. As long as that is so, it need not look at them again.
ALTER TABLE sighting ADD COLUMN stamp TEXT NOT NULL DEFAULT '';

-- What git said of a worktree, for as long as the files that decide it are as their stamp says: the settings that the
-- trunk has, and which repository it is. `system` is the file of git's settings for the machine. Kept for a week.
CREATE TABLE bearing (
  folder TEXT PRIMARY KEY,
  stamp TEXT NOT NULL,
  system TEXT NOT NULL,
  settings TEXT NOT NULL,
  identity TEXT NOT NULL,
  others TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX bearing_over ON bearing (expires_at_ms);
