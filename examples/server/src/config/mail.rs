//! Who sends mail, and what for.
#![expect(
    clippy::doc_markdown,
    reason = "these comments are the text of --help, which is not Markdown"
)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use sakms_core::mail::{LinkTemplate, Sender};

use super::Secret;
use super::time::seconds;

#[derive(Debug, Args)]
#[command(next_help_heading = "Mail (without it no password is reset and no address confirmed)")]
pub(crate) struct MailSettings {
    /// smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST (with STARTTLS) or smtp://localhost:PORT?tls=none. A flag shows in
    /// the list of processes: prefer the variable
    #[arg(
        long,
        global = true,
        env = "SAKMS_SMTP_URL",
        hide_env_values = true,
        value_name = "URL",
        conflicts_with = "mail_dir"
    )]
    pub(crate) smtp_url: Option<Secret>,

    /// A folder that mail is written into instead of being sent, for development
    #[arg(long, global = true, env = "SAKMS_MAIL_DIR", value_name = "FOLDER")]
    pub(crate) mail_dir: Option<PathBuf>,

    /// Whom mail comes from: an address, alone or in angle brackets behind a name; the name stands in its subjects
    #[arg(long, global = true, env = "SAKMS_MAIL_FROM", value_name = "SENDER")]
    pub(crate) mail_from: Option<Sender>,

    /// The page at which somebody chooses another password, with {code} in one place; without it the code stands in the mail
    #[arg(long, global = true, env = "SAKMS_RESET_URL", value_name = "URL")]
    pub(crate) reset_url: Option<LinkTemplate>,

    /// The page at which somebody confirms their address, with {code} in one place; without it the code stands in the mail
    #[arg(long, global = true, env = "SAKMS_CONFIRM_URL", value_name = "URL")]
    pub(crate) confirm_url: Option<LinkTemplate>,

    /// Whether an account is made only when its address was confirmed
    #[arg(
        long,
        global = true,
        env = "SAKMS_CONFIRM_ADDRESSES",
        default_value = "off"
    )]
    pub(crate) confirm_addresses: ConfirmSetting,

    /// How long a code that is mailed is good for, in seconds (900 to 3600)
    #[arg(long, global = true, env = "SAKMS_MAIL_CODE_LIFETIME", default_value = "1800", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) mail_code_lifetime: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfirmSetting {
    Off,
    On,
}
