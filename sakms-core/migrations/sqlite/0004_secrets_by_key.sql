-- Serves a rotation, which retires the key's other secrets, and the foreign key.
CREATE INDEX IF NOT EXISTS sakms_secrets_by_key ON sakms_secrets (key_id)
