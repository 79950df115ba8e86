-- Several kernels write to one file: containers, virtual machines, a shared home. Each boot has a lease clock of its own,
-- and what another one wrote is judged by the wall clock.

CREATE TABLE boot_each (
  number INTEGER PRIMARY KEY,
  boot_id TEXT NOT NULL UNIQUE,
  base_ms INTEGER NOT NULL,
  floor_ms INTEGER NOT NULL,
  used_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO boot_each (boot_id, base_ms, floor_ms, used_at_ms)
SELECT boot_id, base_ms, 0, (SELECT COALESCE(MAX(seen_at_ms), 0) FROM run) FROM boot;
DROP TABLE boot;
ALTER TABLE boot_each RENAME TO boot;

-- Whose clock the times of a lease are of, and how far the wall clock was ahead of it when they were written.
ALTER TABLE run ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN wall_ahead_ms INTEGER NOT NULL DEFAULT 0;
UPDATE run SET boot_id = (SELECT boot_id FROM boot) WHERE state = 'live' AND EXISTS (SELECT 1 FROM boot);

-- The process of the client's session, where it is known: boot, pid namespace, pid and start time.
ALTER TABLE run ADD COLUMN process TEXT NOT NULL DEFAULT '';

-- All that a run ever claimed.
CREATE INDEX claim_of_run ON claim (run_id, fence);

-- A landed change is known once all of its files are there; large ones come in slices.
ALTER TABLE landed ADD COLUMN whole INTEGER NOT NULL DEFAULT 1;
