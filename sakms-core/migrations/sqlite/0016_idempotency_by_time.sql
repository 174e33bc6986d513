-- Serves forgetting the old ones.
CREATE INDEX IF NOT EXISTS sakms_idempotency_by_time ON sakms_idempotency (at)
