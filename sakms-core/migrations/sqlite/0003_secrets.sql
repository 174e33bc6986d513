-- The primary key serves the check of a key text: one secret by its id.
CREATE TABLE IF NOT EXISTS sakms_secrets (
    id           BLOB    NOT NULL PRIMARY KEY,
    key_id       BLOB    NOT NULL REFERENCES sakms_keys (id),
    hash         TEXT    NOT NULL,
    shown_prefix TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    retired_at   INTEGER
) STRICT
