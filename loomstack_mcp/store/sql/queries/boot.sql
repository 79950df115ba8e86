-- :name base
-- The wall time at which the boot clock of a boot was zero.
SELECT base_ms FROM boot WHERE boot_id = :boot_id

-- :name begun
-- A store had another boot before this one.
SELECT boot_id FROM boot

-- :name begin
-- The first process of a boot sets the base of its clock.
INSERT INTO boot (only, boot_id, base_ms) VALUES (1, :boot_id, :base_ms)
ON CONFLICT (only) DO UPDATE SET boot_id = excluded.boot_id, base_ms = excluded.base_ms

-- :name jump
-- A power cut may have undone the last commits: no fencing token of theirs is given twice.
UPDATE repo SET seq = seq + 1000000

-- :name end_leases
-- All holders were processes of the boot that is over. None was seen later than now, should the clock have gone back.
UPDATE run SET expires_at_ms = MIN(expires_at_ms, :now_ms), seen_at_ms = MIN(seen_at_ms, :now_ms)
WHERE state = 'live' AND (expires_at_ms > :now_ms OR seen_at_ms > :now_ms)

-- :name end_places
-- So were all who waited.
UPDATE waiter SET place_until_ms = :now_ms WHERE place_until_ms > :now_ms
