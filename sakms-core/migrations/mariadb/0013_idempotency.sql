-- Requests with an idempotency key that were carried out, and what they made.
CREATE TABLE IF NOT EXISTS sakms_idempotency (
    id        BINARY(32) NOT NULL,
    request   BINARY(32) NOT NULL,
    key_id    BINARY(16) NOT NULL,
    secret_id BINARY(16) NOT NULL,
    at        BIGINT     NOT NULL,
    -- Serves a request that is repeated, and holds that none is carried out twice.
    PRIMARY KEY (id),
    -- Serves forgetting the old ones.
    KEY sakms_idempotency_by_time (at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
