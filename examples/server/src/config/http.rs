//! How requests are taken.

use std::time::Duration;

use clap::{Args, ValueEnum};
use sakms_core::http::TrustedProxies;

use super::time::seconds;

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

    /// Whether sign-ins that fail too often and registrations are slowed down
    #[arg(long, global = true, env = "SAKMS_THROTTLES", default_value = "on")]
    pub(crate) throttles: ThrottleSetting,

    /// How many failures with one e-mail address cost no pause
    #[arg(long, global = true, env = "SAKMS_THROTTLE_ACCOUNT_FREE", default_value = "10", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) throttle_account_free: u32,

    /// After how many failures in a row with one e-mail address only sources that are known to it get a try, until a quiet day
    #[arg(long, global = true, env = "SAKMS_THROTTLE_ACCOUNT_MOST", default_value = "100", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) throttle_account_most: u32,

    /// How many failures from one source cost no pause
    #[arg(long, global = true, env = "SAKMS_THROTTLE_SOURCE_FREE", default_value = "200", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) throttle_source_free: u32,

    /// How many registrations from one source cost no pause
    #[arg(long, global = true, env = "SAKMS_THROTTLE_REGISTRATIONS_FREE", default_value = "1000", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) throttle_registrations_free: u32,

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ThrottleSetting {
    On,
    /// Somebody else does it
    Off,
}
