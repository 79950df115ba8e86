-- Calls that change state at most once, by the id that who calls gave them; the answer once it was made.

CREATE TABLE once (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  method TEXT NOT NULL,
  digest TEXT NOT NULL,
  answer TEXT,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX once_expiry ON once (expires_at_ms, id);
