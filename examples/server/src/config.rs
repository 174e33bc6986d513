//! Every setting: a flag and an environment variable each.
#![expect(
    clippy::doc_markdown,
    reason = "these comments are the text of --help, which is not Markdown"
)]

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sakms_core::http::TrustedProxies;
use sakms_core::token::JwtIssuer;

/// API key and access management: register, sign in, issue keys, check them, revoke them.
#[derive(Debug, Parser)]
#[command(name = "sakms-server", version, about)]
pub(crate) struct Settings {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Where to listen
    #[arg(
        long,
        global = true,
        env = "SAKMS_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDRESS:PORT"
    )]
    pub(crate) listen: SocketAddr,

    /// Which framework serves
    #[arg(long, global = true, env = "SAKMS_FRAMEWORK", default_value = "axum")]
    pub(crate) framework: Framework,

    /// What every key starts with: a-z, 0-9 and inner _, at most 32 characters. Choose it once
    #[arg(
        long,
        global = true,
        env = "SAKMS_KEY_PREFIX",
        default_value = "sakms",
        value_name = "PREFIX"
    )]
    pub(crate) key_prefix: String,

    /// Whether a JWT may come as ?token= (answers then say that this is deprecated)
    #[arg(
        long,
        global = true,
        env = "SAKMS_QUERY_TOKEN",
        default_value = "allow"
    )]
    pub(crate) query_token: QueryTokenSetting,

    /// How long a JWT is good for, in seconds (60 to 86400)
    #[arg(long, global = true, env = "SAKMS_TOKEN_LIFETIME", default_value = "3600", value_name = "SECONDS", value_parser = token_seconds)]
    pub(crate) token_lifetime: Duration,

    #[command(flatten)]
    pub(crate) database: DatabaseSettings,
    #[command(flatten)]
    pub(crate) secrets: SecretSettings,
    #[command(flatten)]
    pub(crate) keys: KeySettings,
    #[command(flatten)]
    pub(crate) hashing: HashSettings,
    #[command(flatten)]
    pub(crate) cache: CacheSettings,
    #[command(flatten)]
    pub(crate) http: HttpSettings,
    #[command(flatten)]
    pub(crate) log: LogSettings,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Bring the tables up to date and serve until ctrl-c or SIGTERM (the default)
    Serve,
    /// Bring the tables up to date, say which steps were taken, and end
    Migrate,
    /// What is done to keys from here
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
}

/// What to do to keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum KeysCommand {
    /// Revoke keys, everybody's, that nobody has used for some days, say which, and end
    Reap {
        /// For how many days they were not used; a key that was never used counts from when it was made
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        unused_for: u32,
        /// Change nothing, and say what would be
        #[arg(long)]
        dry_run: bool,
    },
}

/// The frameworks SAKMS has an integration for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framework {
    Axum,
    Actix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryTokenSetting {
    Allow,
    Deny,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Database")]
pub(crate) struct DatabaseSettings {
    /// sqlite://FILE (made if absent), mysql:// or mariadb:// [env: SAKMS_DATABASE_URL, else DB_URL] [default:
    /// sqlite://sakms.db]
    #[arg(
        long = "database-url",
        global = true,
        env = "SAKMS_DATABASE_URL",
        hide_env = true,
        value_name = "URL"
    )]
    pub(crate) url: Option<Secret>,

    /// How many connections to MariaDB at most, those for key checks aside
    #[arg(long = "database-connections", global = true, env = "SAKMS_DATABASE_CONNECTIONS", default_value = "10", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) connections: u32,
}

impl DatabaseSettings {
    /// The URL that was set, else the seed's variable, else a file in the current folder.
    pub(crate) fn url(&self) -> String {
        let given = self.url.as_ref().map(|url| url.0.clone());
        given
            .or_else(|| std::env::var("DB_URL").ok().filter(|url| !url.is_empty()))
            .unwrap_or_else(|| "sqlite://sakms.db".to_owned())
    }
}

#[derive(Debug, Args)]
#[command(
    next_help_heading = "Secrets (with SQLite on loopback they are made on first start, beside the database)"
)]
pub(crate) struct SecretSettings {
    /// 32 random bytes as 43 characters of base64url or 64 hexadecimal digits; retired ones after a comma. A flag shows
    /// in the list of processes: prefer the variable or the file
    #[arg(
        long,
        global = true,
        env = "SAKMS_MASTER_KEY",
        hide_env_values = true,
        value_name = "KEY",
        conflicts_with = "master_key_file"
    )]
    pub(crate) master_key: Option<Secret>,

    /// A file that holds the master key
    #[arg(
        long,
        global = true,
        env = "SAKMS_MASTER_KEY_FILE",
        value_name = "FILE"
    )]
    pub(crate) master_key_file: Option<PathBuf>,

    /// The secret JWTs are signed with (HS256): 32 random bytes or more
    #[arg(
        long,
        global = true,
        env = "JWT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        conflicts_with = "jwt_secret_file"
    )]
    pub(crate) jwt_secret: Option<Secret>,

    /// A file that holds the JWT secret
    #[arg(long, global = true, env = "JWT_SECRET_FILE", value_name = "FILE")]
    pub(crate) jwt_secret_file: Option<PathBuf>,
}

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

#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(crate) struct HttpSettings {
    /// Whether /metrics gives figures for Prometheus, to anybody who asks. auto: only where --listen is loopback
    #[arg(long, global = true, env = "SAKMS_METRICS", default_value = "auto")]
    pub(crate) metrics: MetricsSetting,

    /// Which proxies are believed when X-Forwarded-For says where a request came from: addresses and ranges, or hops:N for
    /// how many there are; with the word forwarded besides, the header Forwarded is read instead
    #[arg(
        long,
        global = true,
        env = "SAKMS_TRUSTED_PROXIES",
        default_value = "",
        value_name = "LIST"
    )]
    pub(crate) trusted_proxies: TrustedProxies,

    /// What becomes of a request whose key has a quota while the database cannot be asked for it
    #[arg(
        long,
        global = true,
        env = "SAKMS_LIMITER_DOWN",
        default_value = "closed"
    )]
    pub(crate) limiter_down: LimiterDownSetting,

    /// How many connections are served at a time; further ones wait
    #[arg(long, global = true, env = "SAKMS_MAX_CONNECTIONS", default_value = "10000", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_connections: u32,

    /// How long a request's headers may take to arrive, in seconds
    #[arg(long, global = true, env = "SAKMS_HEADER_TIMEOUT", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) header_timeout: Duration,

    /// How long a request's body may take to arrive, in seconds
    #[arg(long, global = true, env = "SAKMS_BODY_TIMEOUT", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) body_timeout: Duration,

    /// How many bytes a request's body may have
    #[arg(long, global = true, env = "SAKMS_BODY_LIMIT", default_value = "65536", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1024..=16_777_216))]
    pub(crate) body_limit: u32,

    /// How long requests in flight may take to end after SIGTERM, in seconds
    #[arg(long, global = true, env = "SAKMS_SHUTDOWN_TIMEOUT", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) shutdown_timeout: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Checks of keys")]
pub(crate) struct CacheSettings {
    /// How many keys are remembered at most; others cost a look-up and a hash
    #[arg(long, global = true, env = "SAKMS_CACHE_KEYS", default_value = "100000", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) cache_keys: u32,

    /// How many refused texts are remembered at most, apart from the keys
    #[arg(long, global = true, env = "SAKMS_CACHE_DENIALS", default_value = "10000", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) cache_denials: u32,

    /// How often to read what other servers changed, in milliseconds
    #[arg(long, global = true, env = "SAKMS_JOURNAL_INTERVAL", default_value = "250", value_name = "MILLISECONDS", value_parser = milliseconds)]
    pub(crate) journal_interval: Duration,

    /// How long to believe what is remembered while that cannot be read, in milliseconds; 0 reads for every check
    #[arg(long, global = true, env = "SAKMS_MAX_STALENESS", default_value = "5000", value_name = "MILLISECONDS", value_parser = staleness)]
    pub(crate) max_staleness: Duration,
}

/// What a limiter does that cannot ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LimiterDownSetting {
    /// It is answered 503
    Closed,
    /// It is let in, not counted, and answered with Sakms-Quota: unchecked
    Open,
}

/// Whether a page is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricsSetting {
    /// On an address of this machine alone, yes; on any other, no
    Auto,
    On,
    Off,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Log (to stderr)")]
pub(crate) struct LogSettings {
    /// What to log: error, warn, info, debug, trace, or a filter such as info,sakms_core=debug
    #[arg(
        long = "log",
        global = true,
        env = "SAKMS_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub(crate) filter: String,

    /// How a line looks
    #[arg(
        long = "log-format",
        global = true,
        env = "SAKMS_LOG_FORMAT",
        default_value = "text"
    )]
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line, for machines
    Json,
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let number: u64 = text.parse().map_err(|_| "not a whole number".to_owned())?;
    match number {
        10..=60_000 => Ok(Duration::from_millis(number)),
        _ => Err("must be 10 to 60000".to_owned()),
    }
}

fn staleness(text: &str) -> Result<Duration, String> {
    let number: u64 = text.parse().map_err(|_| "not a whole number".to_owned())?;
    match number {
        0..=3_600_000 => Ok(Duration::from_millis(number)),
        _ => Err("must be 0 to 3600000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("expected a whole number of seconds from 1 to 86400".to_owned()),
    }
}

/// A hundred years.
const LONGEST: u64 = 100 * 366 * 86_400;

/// Zero is no time, and never "for ever".
fn span(text: &str) -> Result<Duration, String> {
    let span = span_or_none(text)?;
    if span.is_zero() {
        return Err(format!("must be 1 to {LONGEST}"));
    }
    Ok(span)
}

fn span_or_none(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0..=LONGEST) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!(
            "expected a whole number of seconds up to {LONGEST}"
        )),
    }
}

fn token_seconds(text: &str) -> Result<Duration, String> {
    let expected = "expected a whole number of seconds from 60 to 86400";
    seconds(text)
        .ok()
        .filter(|lifetime| *lifetime >= JwtIssuer::MIN_LIFETIME)
        .ok_or_else(|| expected.to_owned())
}

/// A setting that must not be printed.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound_and_every_flag_has_its_variable() {
        let command = Settings::command();
        command.clone().debug_assert();
        let without = |id: &str| ["help", "version"].contains(&id);
        for argument in command
            .get_arguments()
            .filter(|argument| !without(argument.get_id().as_str()))
        {
            assert!(argument.get_env().is_some(), "{}", argument.get_id());
        }
    }

    #[test]
    fn keys_are_hashed_slowly_unless_said_otherwise() {
        let read = |arguments: &[&str]| {
            let settings = Settings::try_parse_from([&["sakms-server"], arguments].concat());
            settings.map(|settings| settings.hashing.key_hasher)
        };
        assert_eq!(read(&[]).ok(), Some(KeyHasherSetting::Argon2id));
        let quick = read(&["--key-hasher", "hmac-sha256"]);
        assert_eq!(quick.ok(), Some(KeyHasherSetting::HmacSha256));
        assert!(read(&["--key-hasher", "sha256"]).is_err());
    }

    #[test]
    fn nobody_is_believed_unless_that_is_set() {
        let read = |arguments: &[&str]| {
            let settings = Settings::try_parse_from([&["sakms-server"], arguments].concat());
            settings.map(|settings| settings.http.trusted_proxies)
        };
        assert_eq!(read(&[]).ok(), Some(TrustedProxies::none()));
        let hops = read(&["--trusted-proxies", "hops:2"]);
        assert_eq!(hops.ok(), Some(TrustedProxies::hops(2)));
        assert!(read(&["--trusted-proxies", "10.1.2.3/8"]).is_err());
    }

    #[test]
    fn no_time_is_never_for_ever() {
        let read = |arguments: &[&str]| {
            Settings::try_parse_from([&["sakms-server"], arguments].concat()).is_ok()
        };
        for flag in [
            "--key-lifetime",
            "--key-lifetime-min",
            "--key-lifetime-max",
            "--keys-per-owner",
            "--idempotency-time",
            "--reap-unused-after",
        ] {
            assert!(read(&[flag, "1"]), "{flag}");
            for bad in ["0", "-1", "", "99999999999999999999"] {
                assert!(!read(&[flag, bad]), "{flag} {bad}");
            }
        }
        assert!(read(&["--rotation-overlap", "0"]), "at once");
        assert!(read(&["keys", "reap", "--unused-for", "90", "--dry-run"]));
        assert!(!read(&["keys", "reap"]), "how long is not guessed");
        assert!(!read(&["keys", "reap", "--unused-for", "0"]));
    }

    #[test]
    fn secrets_show_neither_in_help_nor_in_debug() {
        let given = [
            "sakms-server",
            "--master-key",
            "canary-1",
            "--jwt-secret",
            "canary-2",
            "--database-url",
            "canary-3",
        ];
        let settings = Settings::try_parse_from(given).unwrap();
        assert!(!format!("{settings:?}").contains("canary"));
    }
}
