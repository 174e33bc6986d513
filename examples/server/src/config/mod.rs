//! Every setting: a flag and an environment variable each.
#![expect(
    clippy::doc_markdown,
    reason = "these comments are the text of --help, which is not Markdown"
)]

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};

mod command;
mod exchange;
mod http;
mod keyring;
mod keys;
mod mail;
mod sessions;
mod time;

pub(crate) use command::{AccountCommand, AuditCommand, Command, KeysCommand};
pub(crate) use exchange::{ExchangeAudience, ExchangeSettings};
pub(crate) use http::{HttpSettings, LimiterDownSetting, MetricsSetting, ThrottleSetting};
pub(crate) use keyring::{KeyringCommand, KeyringSettings};
pub(crate) use keys::{HashSettings, KeyHasherSetting, KeySettings};
pub(crate) use mail::{ConfirmSetting, MailSettings};
pub(crate) use sessions::SessionSettings;
use time::{milliseconds, staleness, token_seconds};

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

    /// How long a JWT is good for, in seconds (60 to 86400); the refresh token gives the next one
    #[arg(long, global = true, env = "SAKMS_TOKEN_LIFETIME", default_value = "900", value_name = "SECONDS", value_parser = token_seconds)]
    pub(crate) token_lifetime: Duration,

    #[command(flatten)]
    pub(crate) database: DatabaseSettings,
    #[command(flatten)]
    pub(crate) secrets: SecretSettings,
    #[command(flatten)]
    pub(crate) keyring: KeyringSettings,
    #[command(flatten)]
    pub(crate) keys: KeySettings,
    #[command(flatten)]
    pub(crate) exchange: ExchangeSettings,
    #[command(flatten)]
    pub(crate) hashing: HashSettings,
    #[command(flatten)]
    pub(crate) sessions: SessionSettings,
    #[command(flatten)]
    pub(crate) mail: MailSettings,
    #[command(flatten)]
    pub(crate) cache: CacheSettings,
    #[command(flatten)]
    pub(crate) http: HttpSettings,
    #[command(flatten)]
    pub(crate) log: LogSettings,
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
    next_help_heading = "Secrets (with SQLite on loopback the master key is made on first start, beside the database)"
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

    /// A secret that JWTs are signed with (HS256) instead of the keys in the database: 32 random bytes or more, the same on
    /// every server
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
#[command(next_help_heading = "Checks of keys")]
pub(crate) struct CacheSettings {
    /// How many keys are remembered at most; others cost a look-up and a hash
    #[arg(long, global = true, env = "SAKMS_CACHE_KEYS", default_value = "100000", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) cache_keys: u32,

    /// How many refused texts are remembered at most, apart from the keys
    #[arg(long, global = true, env = "SAKMS_CACHE_DENIALS", default_value = "10000", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) cache_denials: u32,

    /// How many sessions are remembered at most; a token of another costs three look-ups
    #[arg(long, global = true, env = "SAKMS_CACHE_SESSIONS", default_value = "100000", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) cache_sessions: u32,

    /// How often to read what other servers changed, in milliseconds
    #[arg(long, global = true, env = "SAKMS_JOURNAL_INTERVAL", default_value = "250", value_name = "MILLISECONDS", value_parser = milliseconds)]
    pub(crate) journal_interval: Duration,

    /// How long to believe what is remembered while that cannot be read, in milliseconds; 0 reads for every check
    #[arg(long, global = true, env = "SAKMS_MAX_STALENESS", default_value = "5000", value_name = "MILLISECONDS", value_parser = staleness)]
    pub(crate) max_staleness: Duration,
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
    use sakms_core::http::TrustedProxies;

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
            "--smtp-url",
            "canary-4",
        ];
        let settings = Settings::try_parse_from(given).unwrap();
        assert!(!format!("{settings:?}").contains("canary"));
    }
}
