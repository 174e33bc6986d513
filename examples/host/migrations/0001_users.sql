-- AUTOINCREMENT: the number of a user who is gone is given to nobody else, who would find their keys.
CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL
) STRICT
