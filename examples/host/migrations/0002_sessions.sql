-- Whoever reads this table finds no session in it to use: it holds the digests of the tokens.
CREATE TABLE sessions (
    digest     BLOB    NOT NULL PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
