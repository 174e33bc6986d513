-- Serves those of a kind, the newest first.
CREATE INDEX IF NOT EXISTS sakms_states_by_kind ON sakms_states (kind, created_at, id)
