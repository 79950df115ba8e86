-- :name began
-- The version of the store's schema, and the database's clock.
SELECT version, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS clock_ms FROM schema_version

-- :name lock
-- The lock of a repo, then the clock: it is read once the row was locked. References to the row do not wait for it.
WITH locked AS MATERIALIZED (SELECT seq, now_ms FROM repo WHERE id = :repo_id FOR NO KEY UPDATE)
SELECT seq, now_ms, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS clock_ms,
  (SELECT version FROM schema_version WHERE "only" = 1) AS version
FROM locked

-- :name count
-- The sequence numbers that were taken under the lock; nothing later in the repo is before this.
UPDATE repo SET seq = :seq, now_ms = :now_ms WHERE id = :repo_id

-- :name notify
-- Tell whoever listens, in whatever process.
SELECT pg_notify(:channel, :text)
