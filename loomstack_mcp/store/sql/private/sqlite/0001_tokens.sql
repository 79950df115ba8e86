-- What a hub keeps to itself, in a file of its own, which no view and no export shows.

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  principal TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'agent', 'developer', 'admin')),
  repos TEXT NOT NULL,
  run_id TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms INTEGER NOT NULL DEFAULT 0,
  revoked_at_ms INTEGER,
  revoked_by TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Whom an identity provider means by a subject.
CREATE TABLE token_subject (
  subject TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  repos TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Uses of power that belong to no repo, and how often within a minute one was refused.
CREATE TABLE power (
  at_ms INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  what TEXT NOT NULL,
  who TEXT NOT NULL,
  token_id TEXT NOT NULL,
  about TEXT NOT NULL,
  count INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (at_ms, verdict, what, who, token_id, about)
) STRICT, WITHOUT ROWID;

-- The clock of this file, as that of the store. A new boot raises the numbers of repos, of which there are none here.
CREATE TABLE boot (
  number INTEGER PRIMARY KEY,
  boot_id TEXT NOT NULL UNIQUE,
  base_ms INTEGER NOT NULL,
  floor_ms INTEGER NOT NULL,
  used_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE repo (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
