-- Calls that change state at most once, by the id that who calls gave them; the answer once it was made. `attempt` is
-- which execution of a call it was that began.

CREATE TABLE once (
  id TEXT COLLATE "C" PRIMARY KEY,
  principal TEXT COLLATE "C" NOT NULL,
  method TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  attempt TEXT COLLATE "C" NOT NULL,
  answer TEXT COLLATE "C",
  expires_at_ms BIGINT NOT NULL
);
CREATE INDEX once_expiry ON once (expires_at_ms, id);
