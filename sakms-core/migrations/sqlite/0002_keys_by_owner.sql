-- Serves the list of an owner's keys, the newest first.
CREATE INDEX IF NOT EXISTS sakms_keys_by_owner ON sakms_keys (owner, id)
