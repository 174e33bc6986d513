-- Holds the roles that accounts have and no others.
CREATE TABLE IF NOT EXISTS sakms_account_roles (
    account_id BINARY(16)    NOT NULL,
    role       VARBINARY(32) NOT NULL,
    -- Serves the roles of an account.
    PRIMARY KEY (account_id, role)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
