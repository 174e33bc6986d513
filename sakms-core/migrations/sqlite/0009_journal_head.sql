-- One row: the last place of the journal.
CREATE TABLE IF NOT EXISTS sakms_journal_head (
    id    INTEGER NOT NULL PRIMARY KEY,
    seq   INTEGER NOT NULL,
    chain BLOB    NOT NULL
) STRICT
