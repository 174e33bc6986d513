-- The primary key serves the upsert of a secret's uses and, by its first column, a key's last use over all its
-- secrets.
CREATE TABLE IF NOT EXISTS sakms_secret_uses (
    key_id       BLOB    NOT NULL,
    secret_id    BLOB    NOT NULL,
    uses         INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (key_id, secret_id)
) STRICT, WITHOUT ROWID
