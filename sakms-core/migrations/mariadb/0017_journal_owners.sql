-- Whose each row of the journal is; NULL, when it is nobody's. No part of the journal itself: it can be made anew.
CREATE TABLE IF NOT EXISTS sakms_journal_owners (
    seq   BIGINT         NOT NULL,
    owner VARBINARY(128) NULL,
    -- Serves the question up to where this was written.
    PRIMARY KEY (seq),
    -- Serves an owner's rows, the newest first.
    KEY sakms_journal_by_owner (owner, seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
