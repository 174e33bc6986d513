-- What a key has besides the columns of the first table. A key without a row has nothing of it, as keys had that were
-- made before there was this table.
CREATE TABLE IF NOT EXISTS sakms_key_policies (
    key_id     BINARY(16)      NOT NULL,
    not_before BIGINT          NULL,
    -- Names with a space on both sides of each, so that one can be searched for.
    roles      VARBINARY(1041) NOT NULL,
    tags       VARBINARY(1041) NOT NULL,
    limits     VARBINARY(8192) NOT NULL,
    -- Serves the join from a key.
    PRIMARY KEY (key_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
