CREATE TABLE IF NOT EXISTS sakms_journal (
    seq     BIGINT          NOT NULL,
    id      BINARY(16)      NOT NULL,
    at      BIGINT          NOT NULL,
    actor   VARBINARY(160)  NOT NULL,
    action  VARBINARY(32)   NOT NULL,
    subject VARBINARY(160)  NOT NULL,
    detail  VARBINARY(4096) NOT NULL,
    chain   BINARY(32)      NOT NULL,
    -- Serves those who follow the journal: what is after a place, in order.
    PRIMARY KEY (seq),
    -- Serves the question whether a change was committed, after the connection broke at its commit.
    UNIQUE KEY sakms_journal_by_id (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
