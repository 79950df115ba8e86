-- What runs consumed of models, by what their clients tell: each model's tokens, and the cost in millionths of a dollar,
-- which is that of all requests but the `unpriced`.
CREATE TABLE usage (
  run_id TEXT COLLATE "C" NOT NULL REFERENCES run (id),
  model TEXT COLLATE "C" NOT NULL,
  requests BIGINT NOT NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  cost_micro_usd BIGINT NOT NULL,
  unpriced BIGINT NOT NULL,
  last_at_ms BIGINT NOT NULL,
  PRIMARY KEY (run_id, model)
);

-- How often a client let tools of a run do what they were asked for, by who decided it.
CREATE TABLE usage_permission (
  run_id TEXT COLLATE "C" NOT NULL REFERENCES run (id),
  source TEXT COLLATE "C" NOT NULL,
  accepted BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  PRIMARY KEY (run_id, source)
);

-- What was told within a day, so that nothing counts twice, and finds its run where that is known only later: `run_id`
-- is '' until then.
CREATE TABLE usage_entry (
  key TEXT COLLATE "C" PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('request', 'permission')),
  principal TEXT COLLATE "C" NOT NULL,
  session TEXT COLLATE "C" NOT NULL,
  agent TEXT COLLATE "C" NOT NULL,
  named_run TEXT COLLATE "C" NOT NULL,
  run_id TEXT COLLATE "C" NOT NULL DEFAULT '',
  at_ms BIGINT NOT NULL,
  model TEXT COLLATE "C" NOT NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  cost_micro_usd BIGINT,
  source TEXT COLLATE "C" NOT NULL,
  accepted BIGINT NOT NULL CHECK (accepted IN (0, 1)),
  taken_at_ms BIGINT NOT NULL
);
CREATE INDEX usage_entry_session ON usage_entry (principal, session);
CREATE INDEX usage_entry_unbound ON usage_entry (principal, session) WHERE run_id = '';
CREATE INDEX usage_entry_taken ON usage_entry (taken_at_ms);

-- Codex names the thread of a sub-agent, and not its session.
CREATE INDEX run_agent ON run (principal, agent) WHERE agent <> '';
