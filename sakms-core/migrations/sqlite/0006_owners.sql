-- Holds the owners who are disabled and no others. The primary key serves the state of an owner, alone and with a
-- secret.
CREATE TABLE IF NOT EXISTS sakms_owners (
    owner       TEXT    NOT NULL PRIMARY KEY,
    disabled_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
