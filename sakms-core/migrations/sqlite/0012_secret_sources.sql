-- Where the last use of a secret came from. Beside sakms_secret_uses, whose columns are those of the first version. The
-- time is that of the last use, as far as it was told with where it came from, or from nowhere. The primary key serves
-- the upsert, and the list of a key's secrets.
CREATE TABLE IF NOT EXISTS sakms_secret_sources (
    key_id         BLOB    NOT NULL,
    secret_id      BLOB    NOT NULL,
    last_used_at   INTEGER NOT NULL,
    last_used_from TEXT,
    PRIMARY KEY (key_id, secret_id)
) STRICT, WITHOUT ROWID
