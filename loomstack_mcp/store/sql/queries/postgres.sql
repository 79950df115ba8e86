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
SELECT 1 AS told FROM pg_notify(:channel, :text)

-- :name exists
-- Whether the schema of a store is there.
SELECT to_regclass('schema_version') IS NOT NULL AS found

-- :name size
-- The version of the schema, and what all of it takes.
SELECT version, (
  SELECT CAST(COALESCE(SUM(pg_total_relation_size(c.oid)), 0) AS BIGINT) FROM pg_class AS c
  WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind = 'r'
) AS size_bytes
FROM schema_version

-- :name unsound
-- What the catalogue says of indexes and rules that do not hold for every row.
SELECT 'index ' || i.relname || ' is not valid: REINDEX INDEX CONCURRENTLY mends it' AS problem
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE i.relnamespace = to_regnamespace(current_schema()) AND NOT (x.indisvalid AND x.indisready)
UNION ALL
SELECT 'rule ' || conname || ' is not valid for every row' FROM pg_constraint
WHERE connamespace = to_regnamespace(current_schema()) AND NOT convalidated

-- :name references
-- For each reference the question how many rows point nowhere.
SELECT CAST(c.conname AS TEXT) AS name, format(
  'SELECT COUNT(*) AS rows FROM %s AS a WHERE a.%I IS NOT NULL AND NOT EXISTS (SELECT 1 FROM %s AS b WHERE b.%I = a.%I)',
  c.conrelid::regclass, mine.attname, c.confrelid::regclass, theirs.attname, mine.attname
) AS question
FROM pg_constraint AS c
JOIN pg_attribute AS mine ON mine.attrelid = c.conrelid AND mine.attnum = c.conkey[1]
JOIN pg_attribute AS theirs ON theirs.attrelid = c.confrelid AND theirs.attnum = c.confkey[1]
WHERE c.connamespace = to_regnamespace(current_schema()) AND c.contype = 'f'
ORDER BY c.conname

-- :name exported
-- The question for all columns of a view or a log that are not for the database alone.
SELECT 'SELECT ' || string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) || ' FROM ' || :view AS question
FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = :view AND data_type <> 'tsvector'
