-- Text is kept as bytes (VARBINARY): what is stored is what comes back, whatever the server's collation, and two
-- texts are equal only when their bytes are. Times are microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE IF NOT EXISTS sakms_keys (
    id           BINARY(16)      NOT NULL,
    owner        VARBINARY(128)  NOT NULL,
    name         VARBINARY(512)  NOT NULL,
    environment  VARBINARY(16)   NOT NULL,
    shown_prefix VARBINARY(128)  NOT NULL,
    scopes       VARBINARY(6500) NOT NULL,
    metadata     VARBINARY(4096) NOT NULL,
    created_at   BIGINT          NOT NULL,
    expires_at   BIGINT          NULL,
    disabled_at  BIGINT          NULL,
    revoked_at   BIGINT          NULL,
    revision     BIGINT          NOT NULL,
    -- Serves a key by its id, and the join from a secret to its key.
    PRIMARY KEY (id),
    -- Serves the list of an owner's keys, the newest first.
    KEY sakms_keys_by_owner (owner, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
