CREATE TABLE IF NOT EXISTS sakms_secrets (
    id           BINARY(16)     NOT NULL,
    key_id       BINARY(16)     NOT NULL,
    hash         VARBINARY(512) NOT NULL,
    shown_prefix VARBINARY(128) NOT NULL,
    created_at   BIGINT         NOT NULL,
    retired_at   BIGINT         NULL,
    -- Serves the check of a key text: one secret by its id.
    PRIMARY KEY (id),
    -- Serves a rotation, which retires the key's other secrets, and the foreign key.
    KEY sakms_secrets_by_key (key_id),
    CONSTRAINT sakms_secrets_key FOREIGN KEY (key_id) REFERENCES sakms_keys (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
