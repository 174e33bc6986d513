-- The primary key serves those who follow the journal: what is after a place, in order. The unique id serves the
-- question whether a change was committed.
CREATE TABLE IF NOT EXISTS sakms_journal (
    seq     INTEGER NOT NULL PRIMARY KEY,
    id      BLOB    NOT NULL UNIQUE,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    chain   BLOB    NOT NULL
) STRICT
