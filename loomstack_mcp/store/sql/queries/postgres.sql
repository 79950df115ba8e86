-- :name began
-- The version of the store's schema, and the database's clock.
SELECT version, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS clock_ms FROM schema_version

-- :name lock
-- The lock of a repo, then the clock: it is read once the row was locked. References to the row do not wait for it.
WITH locked AS MATERIALIZED (SELECT now_ms FROM repo WHERE id = :repo_id FOR NO KEY UPDATE)
SELECT now_ms, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS clock_ms FROM locked
