-- How often a key was let in and refused on a day, which is counted from 1970-01-01. The primary key serves the upsert,
-- and the days of a key in order.
CREATE TABLE IF NOT EXISTS sakms_key_days (
    key_id  BLOB    NOT NULL,
    day     INTEGER NOT NULL,
    allowed INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    PRIMARY KEY (key_id, day)
) STRICT, WITHOUT ROWID
