-- What a hub keeps to itself, in a schema of its own, which no view and no export shows.

CREATE TABLE token (
  id TEXT COLLATE "C" PRIMARY KEY,
  hash TEXT NOT NULL,
  principal TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'agent', 'developer', 'admin')),
  repos TEXT NOT NULL,
  run_id TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  used_at_ms BIGINT NOT NULL DEFAULT 0,
  revoked_at_ms BIGINT,
  revoked_by TEXT NOT NULL DEFAULT ''
);

-- Whom an identity provider means by a subject.
CREATE TABLE token_subject (
  subject TEXT COLLATE "C" PRIMARY KEY,
  principal TEXT NOT NULL,
  repos TEXT NOT NULL
);

-- Uses of power that belong to no repo, and how often within a minute one was refused.
CREATE TABLE power (
  at_ms BIGINT NOT NULL,
  verdict TEXT COLLATE "C" NOT NULL,
  what TEXT COLLATE "C" NOT NULL,
  who TEXT COLLATE "C" NOT NULL,
  token_id TEXT COLLATE "C" NOT NULL,
  about TEXT COLLATE "C" NOT NULL,
  count BIGINT NOT NULL DEFAULT 1,
  PRIMARY KEY (at_ms, verdict, what, who, token_id, about)
);
