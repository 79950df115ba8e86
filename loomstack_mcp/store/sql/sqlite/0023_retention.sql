-- What is old goes. Up to where the log of a repo has gaps since then; and by what is found what still ties a run to the
-- rest, which databases also ask for when it goes.

ALTER TABLE repo ADD COLUMN pruned_seq INTEGER NOT NULL DEFAULT 0;

CREATE INDEX run_checks ON run (checks_run) WHERE checks_run IS NOT NULL;
CREATE INDEX outcome_run ON outcome (run_id);
CREATE INDEX binding_run ON binding (run_id);
CREATE INDEX conflict_of_run ON conflict (run_id);
CREATE INDEX conflict_with ON conflict (with_run) WHERE with_run <> '';
CREATE INDEX pull_run ON pull (run_id);
CREATE INDEX landed_run ON landed (run_id) WHERE run_id <> '';
CREATE INDEX approval_run ON approval (run_id) WHERE run_id <> '';
