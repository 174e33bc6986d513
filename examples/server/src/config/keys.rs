//! How keys are made, and what their hashes are.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::time::{span, span_or_none};

#[derive(Debug, Args)]
#[command(next_help_heading = "Keys")]
pub(crate) struct KeySettings {
    /// How long a key lives of which nothing is said, in seconds; for ever (or for the maximum) when not set
    #[arg(long, global = true, env = "SAKMS_KEY_LIFETIME", value_name = "SECONDS", value_parser = span)]
    pub(crate) key_lifetime: Option<Duration>,

    /// How long a key lives at least, in seconds
    #[arg(long, global = true, env = "SAKMS_KEY_LIFETIME_MIN", value_name = "SECONDS", value_parser = span)]
    pub(crate) key_lifetime_min: Option<Duration>,

    /// How long a key lives at most, in seconds, counted from when it was made
    #[arg(long, global = true, env = "SAKMS_KEY_LIFETIME_MAX", value_name = "SECONDS", value_parser = span)]
    pub(crate) key_lifetime_max: Option<Duration>,

    /// How many keys an owner may have that are neither revoked nor expired; any number when not set
    #[arg(long, global = true, env = "SAKMS_KEYS_PER_OWNER", value_name = "N")]
    pub(crate) keys_per_owner: Option<NonZeroU32>,

    /// How long the former secret of a rotated key works when nothing is said, in seconds; 0 is not at all
    #[arg(long, global = true, env = "SAKMS_ROTATION_OVERLAP", default_value = "86400", value_name = "SECONDS", value_parser = span_or_none)]
    pub(crate) rotation_overlap: Duration,

    /// How long it works at most, in seconds
    #[arg(long, global = true, env = "SAKMS_ROTATION_OVERLAP_MAX", default_value = "2592000", value_name = "SECONDS", value_parser = span_or_none)]
    pub(crate) rotation_overlap_max: Duration,

    /// For how long a request with an Idempotency-Key is known again, in seconds
    #[arg(long, global = true, env = "SAKMS_IDEMPOTENCY_TIME", default_value = "86400", value_name = "SECONDS", value_parser = span)]
    pub(crate) idempotency_time: Duration,

    /// How many entries about refused attempts are written into the journal a minute at most; 0 is none
    #[arg(long, global = true, env = "SAKMS_REFUSALS_PER_MINUTE", default_value = "60", value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub(crate) refusals_per_minute: u32,

    /// Revoke keys, every hour, that nobody has used for so many days; none when not set
    #[arg(long, global = true, env = "SAKMS_REAP_UNUSED_AFTER", value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) reap_unused_after: Option<u32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Hashing")]
pub(crate) struct HashSettings {
    /// What new hashes of keys' secrets are; those that are there go on verifying. Passwords are Argon2id always
    #[arg(
        long,
        global = true,
        env = "SAKMS_KEY_HASHER",
        default_value = "argon2id"
    )]
    pub(crate) key_hasher: KeyHasherSetting,

    /// Argon2id: memory in KiB
    #[arg(
        long,
        global = true,
        env = "SAKMS_ARGON2_MEMORY",
        default_value = "19456",
        value_name = "KIB"
    )]
    pub(crate) argon2_memory: u32,

    /// Argon2id: passes over the memory
    #[arg(
        long,
        global = true,
        env = "SAKMS_ARGON2_ITERATIONS",
        default_value = "2",
        value_name = "N"
    )]
    pub(crate) argon2_iterations: u32,

    /// Argon2id: lanes
    #[arg(
        long,
        global = true,
        env = "SAKMS_ARGON2_LANES",
        default_value = "1",
        value_name = "N"
    )]
    pub(crate) argon2_lanes: u32,

    /// Hashing threads for key checks, and as many again for sign-ins; half the cores each when not set
    #[arg(long, global = true, env = "SAKMS_HASH_THREADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) hash_threads: Option<u16>,

    /// How many hashes of each kind may wait before requests are answered 503
    #[arg(long, global = true, env = "SAKMS_HASH_QUEUE", default_value = "64", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) hash_queue: u16,

    /// The fewest characters a password may have (8 or more)
    #[arg(long, global = true, env = "SAKMS_PASSWORD_MIN", default_value = "15", value_name = "N", value_parser = clap::value_parser!(u16).range(8..=128))]
    pub(crate) password_min: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyHasherSetting {
    /// Slow on purpose
    Argon2id,
    /// Quick, under a subkey of the master key
    HmacSha256,
}
