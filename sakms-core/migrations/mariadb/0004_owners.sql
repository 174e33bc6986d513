-- Holds the owners who are disabled and no others.
CREATE TABLE IF NOT EXISTS sakms_owners (
    owner       VARBINARY(128) NOT NULL,
    disabled_at BIGINT         NOT NULL,
    -- Serves the state of an owner, alone and with a secret.
    PRIMARY KEY (owner)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
