-- How often a key was let in and refused on a day, which is counted from 1970-01-01.
CREATE TABLE IF NOT EXISTS sakms_key_days (
    key_id  BINARY(16) NOT NULL,
    day     BIGINT     NOT NULL,
    allowed BIGINT     NOT NULL,
    refused BIGINT     NOT NULL,
    -- Serves the upsert, and the days of a key in order.
    PRIMARY KEY (key_id, day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
