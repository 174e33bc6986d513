CREATE TABLE IF NOT EXISTS sakms_accounts (
    id              BINARY(16)     NOT NULL,
    email           VARBINARY(254) NOT NULL,
    canonical_email VARBINARY(254) NOT NULL,
    password_hash   VARBINARY(512) NOT NULL,
    created_at      BIGINT         NOT NULL,
    revision        BIGINT         NOT NULL,
    -- Serves an account by its id.
    PRIMARY KEY (id),
    -- Serves the sign-in, and holds that no two accounts have one address.
    UNIQUE KEY sakms_accounts_by_email (canonical_email)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
