-- What is kept for a while, by its kind: sessions, codes, counts of failures, keys that sign. The values are the
-- service's alone; no plain secret is among them. The id is a digest, or an id with zeros behind it. The primary key
-- serves one by its id and kind, its change and its removal.
CREATE TABLE IF NOT EXISTS sakms_states (
    id         BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    owner      TEXT,
    value      BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    PRIMARY KEY (id, kind)
) STRICT
