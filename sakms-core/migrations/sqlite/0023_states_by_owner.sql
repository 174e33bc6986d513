-- Serves those of a kind that are an owner's, the newest first, and their removal.
CREATE INDEX IF NOT EXISTS sakms_states_by_owner ON sakms_states (owner, kind, created_at, id)
