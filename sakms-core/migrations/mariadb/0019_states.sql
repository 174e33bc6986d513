-- What is kept for a while, by its kind: sessions, codes, counts of failures, keys that sign. The values are the
-- service's alone; no plain secret is among them.
CREATE TABLE IF NOT EXISTS sakms_states (
    -- A digest, or an id with zeros behind it.
    id         BINARY(32)      NOT NULL,
    kind       VARBINARY(32)   NOT NULL,
    owner      VARBINARY(128)  NULL,
    value      VARBINARY(4096) NOT NULL,
    created_at BIGINT          NOT NULL,
    expires_at BIGINT          NOT NULL,
    revision   BIGINT          NOT NULL,
    -- Serves one by its id and kind, its change and its removal. The id first, so that nothing walks over a kind by it.
    PRIMARY KEY (id, kind),
    -- Serves those of a kind that are an owner's, the newest first, and their removal.
    KEY sakms_states_by_owner (owner, kind, created_at, id),
    -- Serves those of a kind, the newest first.
    KEY sakms_states_by_kind (kind, created_at, id),
    -- Serves forgetting those that have ended.
    KEY sakms_states_by_end (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
