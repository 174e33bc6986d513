-- A table of its own, without a foreign key, so that writing down uses never waits for a change to the key.
CREATE TABLE IF NOT EXISTS sakms_secret_uses (
    key_id       BINARY(16) NOT NULL,
    secret_id    BINARY(16) NOT NULL,
    uses         BIGINT     NOT NULL,
    last_used_at BIGINT     NOT NULL,
    -- Serves the upsert of a secret's uses and, by its first column, a key's last use over all its secrets.
    PRIMARY KEY (key_id, secret_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
