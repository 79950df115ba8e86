-- What hooks saw of agents: who makes a call of our tools and from which folder (`tool_use` is the call), and in which
-- worktrees an agent edits that were not looked at since (`tool_use` is empty). Kept for a while, as nothing else tells.

CREATE TABLE sighting (
  session TEXT NOT NULL,
  tool_use TEXT NOT NULL,
  agent TEXT NOT NULL,
  folder TEXT NOT NULL,
  repo_id TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (session, tool_use, agent, folder)
) STRICT, WITHOUT ROWID;
CREATE INDEX sighting_over ON sighting (expires_at_ms);
