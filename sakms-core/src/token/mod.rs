//! JWTs: issuing and checking them.
