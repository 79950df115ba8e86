-- Both sides of a conflict by hash and place: `own_marks` name the hunks that would land, as `marks` do those that have.

ALTER TABLE conflict ADD COLUMN own_marks TEXT COLLATE "C" NOT NULL DEFAULT '[]';
