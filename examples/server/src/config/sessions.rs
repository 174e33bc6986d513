//! How long sessions last.

use std::time::Duration;

use clap::Args;

use super::time::{span, span_or_none};

#[derive(Debug, Args)]
#[command(next_help_heading = "Sessions")]
pub(crate) struct SessionSettings {
    /// After how many seconds without a refresh a session ends
    #[arg(long, global = true, env = "SAKMS_SESSION_IDLE", default_value = "2592000", value_name = "SECONDS", value_parser = span)]
    pub(crate) session_idle: Duration,

    /// After how many seconds a session ends, however much it is used
    #[arg(long, global = true, env = "SAKMS_SESSION_LIFETIME", default_value = "7776000", value_name = "SECONDS", value_parser = span)]
    pub(crate) session_lifetime: Duration,

    /// For how many seconds a refresh token that was used gives its successor again, because the answer may have been lost
    #[arg(long, global = true, env = "SAKMS_REFRESH_GRACE", default_value = "10", value_name = "SECONDS", value_parser = span_or_none)]
    pub(crate) refresh_grace: Duration,

    /// How many sessions an account may have; past it, the oldest ends
    #[arg(long, global = true, env = "SAKMS_SESSIONS_PER_ACCOUNT", default_value = "100", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) sessions_per_account: u32,
}
