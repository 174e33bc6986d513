CREATE TABLE IF NOT EXISTS sakms_roles (
    name       VARBINARY(64)   NOT NULL,
    scopes     VARBINARY(6500) NOT NULL,
    changed_at BIGINT          NOT NULL,
    -- Serves the list of roles in order, and a change of one.
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
