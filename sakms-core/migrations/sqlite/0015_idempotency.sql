-- Requests with an idempotency key that were carried out, and what they made. The primary key serves a request that is
-- repeated, and holds that none is carried out twice.
CREATE TABLE IF NOT EXISTS sakms_idempotency (
    id        BLOB    NOT NULL PRIMARY KEY,
    request   BLOB    NOT NULL,
    key_id    BLOB    NOT NULL,
    secret_id BLOB    NOT NULL,
    at        INTEGER NOT NULL
) STRICT
