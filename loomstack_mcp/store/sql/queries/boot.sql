-- :name known
-- The lease clock of a boot: its base, and the instant before which its wall clock is not believed.
SELECT base_ms, floor_ms FROM boot WHERE boot_id = :boot_id

-- :name newest
-- When any boot last wrote to the store; NULL where none did.
SELECT MAX(used_at_ms) AS used_at_ms FROM boot

-- :name begin
-- The first writer of a boot sets the base of its clock.
INSERT INTO boot (boot_id, base_ms, floor_ms, used_at_ms) VALUES (:boot_id, :base_ms, :floor_ms, :used_at_ms)

-- :name jump
-- A power cut may have undone the last commits: no fencing token of theirs is given twice.
UPDATE repo SET seq = seq + 1000000

-- :name use
-- A process of this boot writes.
UPDATE boot SET used_at_ms = :used_at_ms WHERE boot_id = :boot_id

-- :name alternating
-- A boot that still wrote when a younger one had begun, both of late: after a reboot the old one never writes again.
SELECT older.boot_id FROM boot AS older JOIN boot AS younger ON younger.number > older.number
WHERE older.used_at_ms > younger.floor_ms AND older.used_at_ms > :since_ms AND younger.used_at_ms > :since_ms LIMIT 1
