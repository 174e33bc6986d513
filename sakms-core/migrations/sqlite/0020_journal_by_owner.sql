-- Serves an owner's rows, the newest first.
CREATE INDEX IF NOT EXISTS sakms_journal_by_owner ON sakms_journal_owners (owner, seq)
