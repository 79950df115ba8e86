-- What runs made is known again after a squash, a rebase or an amend, by its content; and what stored numbers mean has a
-- version. No source text.

-- All that one run made. `meaning` is of its marks (core/changes/meaning.py).
CREATE TABLE imprint (
  number INTEGER PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repo (id),
  run_id TEXT NOT NULL REFERENCES run (id),
  meaning INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  UNIQUE (run_id, meaning)
) STRICT;
CREATE INDEX imprint_repo ON imprint (repo_id, seen_at_ms);

-- Of whole patches, of files and of lines, each as one keyed number (core/changes/imprints.py).
CREATE TABLE imprint_mark (
  mark INTEGER NOT NULL,
  imprint INTEGER NOT NULL REFERENCES imprint (number) ON DELETE CASCADE,
  PRIMARY KEY (mark, imprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX imprint_mark_imprint ON imprint_mark (imprint);

-- By which meaning of marks the content of a run's commit was recorded; 0 where it was not read yet.
ALTER TABLE binding ADD COLUMN imprinted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX binding_imprinted ON binding (repo_id, imprinted);

-- A trailer is a hint: those that nothing else confirms bind no more.
DELETE FROM binding WHERE bound_by = 'trailer';

-- What is of an older meaning is read from git again. `bound_by` says how a landed change was known as its run's:
-- sha, patch, files, lines, trailer. `hints` are the runs that its message names.
ALTER TABLE landed ADD COLUMN meaning INTEGER NOT NULL DEFAULT 1;
ALTER TABLE landed ADD COLUMN bound_by TEXT NOT NULL DEFAULT '';
ALTER TABLE landed ADD COLUMN hints TEXT NOT NULL DEFAULT '[]';
CREATE INDEX landed_nobodys ON landed (repo_id, made_at_ms) WHERE run_id = '';
