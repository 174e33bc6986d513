-- What a key has besides the columns of the first table. A key without a row has nothing of it, as keys had that were
-- made before there was this table. Roles and tags are names with a space on both sides of each, so that one can be
-- searched for. The primary key serves the join from a key.
CREATE TABLE IF NOT EXISTS sakms_key_policies (
    key_id     BLOB NOT NULL PRIMARY KEY,
    not_before INTEGER,
    roles      TEXT NOT NULL,
    tags       TEXT NOT NULL,
    limits     TEXT NOT NULL
) STRICT
