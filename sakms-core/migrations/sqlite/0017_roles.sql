-- The primary key serves the list of roles in order, and a change of one.
CREATE TABLE IF NOT EXISTS sakms_roles (
    name       TEXT    NOT NULL PRIMARY KEY,
    scopes     TEXT    NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT
