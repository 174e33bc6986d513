//! Proof of a secret: Argon2id on a bounded pool of threads.
