-- One row: the last place of the journal. Whoever writes the journal locks it first, which puts the changes in order.
CREATE TABLE IF NOT EXISTS sakms_journal_head (
    id    BIGINT     NOT NULL,
    seq   BIGINT     NOT NULL,
    chain BINARY(32) NOT NULL,
    -- Serves the lock on the head.
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
