-- Who agreed that a landed change goes, and to exactly what; and what has to leave the index of paths when it expires.

-- `marks` name the landed hunks that go; `holder` may agree to that; `signer` and `account` are who would land it, as git
-- names them. `agreed_by` is the note, or the person, that agreed.
ALTER TABLE conflict ADD COLUMN marks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE conflict ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE conflict ADD COLUMN signer TEXT NOT NULL DEFAULT '';
ALTER TABLE conflict ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE conflict ADD COLUMN agreed_by TEXT NOT NULL DEFAULT '';
CREATE INDEX conflict_agreed ON conflict (repo_id, sha) WHERE agreed_by <> '';

CREATE INDEX note_superseded ON note (repo_id, loop || '@' || who) WHERE superseded_by <> '' AND kind = 'intent';
CREATE INDEX note_addressed ON note (repo_id, addressee, seq) WHERE superseded_by = '' AND addressee <> '';
CREATE INDEX run_session ON run (principal, session);

-- Notes that end by time and still lie in the index of paths.
CREATE TABLE note_expiry (
  repo_id TEXT NOT NULL REFERENCES repo (id),
  expires_at_ms INTEGER NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (repo_id, expires_at_ms, id)
) STRICT, WITHOUT ROWID;
INSERT INTO note_expiry (repo_id, expires_at_ms, id)
SELECT repo_id, expires_at_ms, id FROM note WHERE expires_at_ms IS NOT NULL AND superseded_by = '';
