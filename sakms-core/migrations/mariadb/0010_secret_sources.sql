-- Where the last use of a secret came from. Beside sakms_secret_uses, whose columns are those of the first version.
CREATE TABLE IF NOT EXISTS sakms_secret_sources (
    key_id         BINARY(16)    NOT NULL,
    secret_id      BINARY(16)    NOT NULL,
    -- Of the last use, as far as it was told with where it came from, or from nowhere.
    last_used_at   BIGINT        NOT NULL,
    last_used_from VARBINARY(45) NULL,
    -- Serves the upsert, and the list of a key's secrets.
    PRIMARY KEY (key_id, secret_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
