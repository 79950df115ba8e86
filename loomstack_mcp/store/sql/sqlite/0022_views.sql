-- For those who look at a repo from outside: what ended lately, and conflicts of every state, newest first.
CREATE INDEX run_over ON run (repo_id, ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX conflict_found ON conflict (repo_id, found_at_ms);
