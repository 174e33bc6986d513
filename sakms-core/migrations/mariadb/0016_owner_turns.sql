-- Whoever counts an owner's keys to add one more locks the owner's row first: what was counted stands until the key is
-- added. The journal's head would do as well, but that is everybody's.
CREATE TABLE IF NOT EXISTS sakms_owner_turns (
    owner VARBINARY(128) NOT NULL,
    -- Serves the lock.
    PRIMARY KEY (owner)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
