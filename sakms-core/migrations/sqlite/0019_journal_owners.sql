-- Whose each row of the journal is; NULL, when it is nobody's. No part of the journal itself: it can be made anew. The
-- primary key serves the question up to where this was written.
CREATE TABLE IF NOT EXISTS sakms_journal_owners (
    seq   INTEGER NOT NULL PRIMARY KEY,
    owner TEXT
) STRICT
