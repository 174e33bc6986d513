-- How much of a key's quota was taken in the period last taken from, by when that began. The primary key serves the one
-- row that a taking changes and reads.
CREATE TABLE IF NOT EXISTS sakms_quotas (
    key_id BLOB    NOT NULL PRIMARY KEY,
    period INTEGER NOT NULL,
    taken  INTEGER NOT NULL
) STRICT, WITHOUT ROWID
