-- Times are microseconds since 1970-01-01T00:00:00Z. The primary key serves a key by its id, and the join from a
-- secret to its key.
CREATE TABLE IF NOT EXISTS sakms_keys (
    id           BLOB    NOT NULL PRIMARY KEY,
    owner        TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    environment  TEXT    NOT NULL,
    shown_prefix TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    metadata     TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    disabled_at  INTEGER,
    revoked_at   INTEGER,
    revision     INTEGER NOT NULL
) STRICT
