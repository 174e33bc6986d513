-- Holds the roles that accounts have and no others. The primary key serves the roles of an account.
CREATE TABLE IF NOT EXISTS sakms_account_roles (
    account_id BLOB NOT NULL,
    role       TEXT NOT NULL,
    PRIMARY KEY (account_id, role)
) STRICT, WITHOUT ROWID
