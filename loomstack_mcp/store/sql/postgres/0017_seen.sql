-- Whether somebody saw that a run can have made a commit, where it was made: clocks of other machines then say nothing
-- against it.

ALTER TABLE binding ADD COLUMN seen BIGINT NOT NULL DEFAULT 0;
