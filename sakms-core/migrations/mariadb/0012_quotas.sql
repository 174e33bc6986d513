-- How much of a key's quota was taken in the period last taken from, by when that began.
CREATE TABLE IF NOT EXISTS sakms_quotas (
    key_id BINARY(16) NOT NULL,
    period BIGINT     NOT NULL,
    taken  BIGINT     NOT NULL,
    -- Serves the one row that a taking locks, changes and reads.
    PRIMARY KEY (key_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
