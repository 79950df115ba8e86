-- What runs consumed of models, by what their clients tell: each model's tokens, and the cost in millionths of a dollar,
-- which is that of all requests but the `unpriced`.
CREATE TABLE usage (
  run_id TEXT NOT NULL REFERENCES run (id),
  model TEXT NOT NULL,
  requests INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  last_at_ms INTEGER NOT NULL,
  PRIMARY KEY (run_id, model)
) STRICT, WITHOUT ROWID;

-- How often a client let tools of a run do what they were asked for, by who decided it.
CREATE TABLE usage_permission (
  run_id TEXT NOT NULL REFERENCES run (id),
  source TEXT NOT NULL,
  accepted INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  PRIMARY KEY (run_id, source)
) STRICT, WITHOUT ROWID;

-- What was told within a day, so that nothing counts twice, and finds its run where that is known only later: `run_id`
-- is '' until then.
CREATE TABLE usage_entry (
  key TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('request', 'permission')),
  principal TEXT NOT NULL,
  session TEXT NOT NULL,
  agent TEXT NOT NULL,
  named_run TEXT NOT NULL,
  run_id TEXT NOT NULL DEFAULT '',
  at_ms INTEGER NOT NULL,
  model TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_micro_usd INTEGER,
  source TEXT NOT NULL,
  accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  taken_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_entry_session ON usage_entry (principal, session);
CREATE INDEX usage_entry_unbound ON usage_entry (principal, session) WHERE run_id = '';
CREATE INDEX usage_entry_taken ON usage_entry (taken_at_ms);

-- Codex names the thread of a sub-agent, and not its session.
CREATE INDEX run_agent ON run (principal, agent) WHERE agent <> '';
