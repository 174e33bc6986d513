-- The primary key serves an account by its id; the unique address serves the sign-in, and holds that no two
-- accounts have one address.
CREATE TABLE IF NOT EXISTS sakms_accounts (
    id              BLOB    NOT NULL PRIMARY KEY,
    email           TEXT    NOT NULL,
    canonical_email TEXT    NOT NULL UNIQUE,
    password_hash   TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    revision        INTEGER NOT NULL
) STRICT
