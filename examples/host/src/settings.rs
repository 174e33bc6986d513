//! What can be set, by a flag or an environment variable each, and the signal to stop.

use std::io;
use std::net::SocketAddr;

use clap::Parser;
use sakms_core::entropy::OsEntropy;
use sakms_core::key::{MasterKey, MasterKeys};

/// A small application with users of its own, which gives them API keys with SAKMS
#[derive(Debug, Parser)]
pub struct Settings {
    /// Where to listen
    #[arg(
        long,
        env = "APP_LISTEN",
        default_value = "127.0.0.1:3000",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,

    /// An SQLite file, made if absent, or :memory:, which is gone with the process
    #[arg(
        long,
        env = "APP_DATABASE",
        default_value = ":memory:",
        value_name = "FILE"
    )]
    pub database: String,

    /// SAKMS's master key: 32 random bytes as hexadecimal digits or base64url. Needed with a file. A flag shows in the
    /// list of processes: prefer the variable
    #[arg(
        long,
        env = "APP_MASTER_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    master_key: Option<String>,
}

impl Settings {
    /// The settings of this process. Ends it, with a message, for a command line that it does not understand.
    #[must_use]
    pub fn of_process() -> Self {
        Self::parse()
    }

    /// The master key that was given. Only keys in memory can do with one that is gone with the process, too.
    ///
    /// # Errors
    /// A text that says what to do, when there is none or it is no master key.
    pub fn master_keys(&self) -> Result<MasterKeys, Box<dyn std::error::Error>> {
        match &self.master_key {
            Some(text) => Ok(text.parse()?),
            None if self.database == ":memory:" => Ok(MasterKey::generate(&OsEntropy)?.into()),
            None => Err(
                "APP_MASTER_KEY is not set; `openssl rand -hex 32` makes one, to be kept as long as \
                 the keys shall work"
                    .into(),
            ),
        }
    }
}

/// Ends with the first ctrl-c, or SIGTERM where there is one. From this call on neither ends the process by itself.
///
/// # Errors
/// When the system does not let signals be listened to.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c()?;
        Ok(async move {
            let _ = interrupt.recv().await;
        })
    }
}
