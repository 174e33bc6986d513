//! The keys that sign tokens, where they are kept in the database.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use sakms_core::token::TokenAlgorithm;

use super::time::seconds;

#[derive(Debug, Args)]
#[command(
    next_help_heading = "Keys that sign tokens (kept in the database; not used with a JWT secret)"
)]
pub(crate) struct KeyringSettings {
    /// How often the keys are read, in seconds: so soon a rotation on another server is followed
    #[arg(long = "keyring-follow", global = true, env = "SAKMS_KEYRING_FOLLOW", default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) follow: Duration,

    /// For how many seconds a new key is known and published before it signs; more than --keyring-follow of any server
    #[arg(long = "keyring-notice", global = true, env = "SAKMS_KEYRING_NOTICE", default_value = "360", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) notice: Duration,
}

/// What to do to the keys that sign tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum KeyringCommand {
    /// Say which keys there are, the newest first: name, algorithm, state (next, signs, verifies, ended), from when on it
    /// signs, when it ends
    List,
    /// Make the next key. It signs after the notice; no valid token is refused meanwhile
    Rotate {
        /// How the new key signs
        #[arg(
            long,
            value_name = "ALGORITHM",
            default_value = "EdDSA",
            ignore_case = true
        )]
        algorithm: KeyringAlgorithm,
        /// For a key that got into the wrong hands: the new key signs at once, and every token that was issued is void
        #[arg(long)]
        now: bool,
    },
}

/// How a key that is published can sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyringAlgorithm {
    /// Ed25519
    #[value(name = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256 with SHA-256
    #[value(name = "ES256")]
    Es256,
    /// RSA with SHA-256, for who can check nothing else
    #[value(name = "RS256")]
    Rs256,
}

impl From<KeyringAlgorithm> for TokenAlgorithm {
    fn from(algorithm: KeyringAlgorithm) -> Self {
        match algorithm {
            KeyringAlgorithm::EdDsa => Self::EdDsa,
            KeyringAlgorithm::Es256 => Self::Es256,
            KeyringAlgorithm::Rs256 => Self::Rs256,
        }
    }
}
