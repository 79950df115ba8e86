-- What the file system said of the files that a worktree's settings are read from, when a hook last looked at an edit in
-- it the full way. As long as that is so, it need not look at them again.
ALTER TABLE sighting ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
