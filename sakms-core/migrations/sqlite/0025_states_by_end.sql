-- Serves forgetting those that have ended.
CREATE INDEX IF NOT EXISTS sakms_states_by_end ON sakms_states (expires_at)
