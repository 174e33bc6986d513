//! What the program is asked to do.

use std::path::PathBuf;

use clap::Subcommand;
use sakms_core::account::AccountRole;
use sakms_core::journal::JournalHead;

use super::KeyringCommand;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
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
    /// What is done to accounts from here
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// The keys that sign tokens
    Keyring {
        #[command(subcommand)]
        command: KeyringCommand,
    },
    /// The journal of every change
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
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

/// What to do to accounts.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum AccountCommand {
    /// Give an account a role; it is in force as soon as the servers have read the journal
    Grant {
        /// The address the account signs in with
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Which role; there is `admin`
        #[arg(long, value_name = "ROLE")]
        role: AccountRole,
    },
    /// Take a role from an account
    RevokeRole {
        /// The address the account signs in with
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Which role
        #[arg(long, value_name = "ROLE")]
        role: AccountRole,
    },
    /// Say which accounts there are, the newest first: id, address, when it was made, roles
    List,
}

/// What to do with the journal.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum AuditCommand {
    /// Walk the journal and hold each row against the hash chain. Ends with status 1 and names the first row that is wrong
    Verify {
        /// A head that was noted earlier, as SEQ:HASH: only that shows that the end was cut off
        #[arg(long, value_name = "SEQ:HASH")]
        head: Option<JournalHead>,
    },
    /// Write the journal as JSON lines, and its head as the last line
    Export {
        /// Where to; standard output when not said. A file that is there is not overwritten
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}
