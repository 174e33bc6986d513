//! Servers of one service: on one database, under the same master keys.

use std::path::Path;
use std::process::Command;

use super::program;
use super::server::{self, JWT_SECRET, MASTER_KEY, Server};

/// A second master key: of two nodes that have them in another order, each makes the other's hashes anew.
pub const OTHER_MASTER_KEY: &str = "HhwaGBYUEhAODAoIBgQCAAECAwQFBgcICQoLDA0ODxA";

/// How a node is started.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `axum` or `actix`.
    pub framework: &'static str,
    /// The database.
    pub database: String,
    /// The master keys, the current one first.
    pub master_keys: String,
    /// Further variables.
    pub more: Vec<(&'static str, String)>,
}

impl Settings {
    /// A node with cheap hashes and without throttles, so that what is asked of it is what it does.
    #[must_use]
    pub fn new(framework: &'static str, database: impl Into<String>) -> Self {
        Self {
            framework,
            database: database.into(),
            master_keys: format!("{MASTER_KEY},{OTHER_MASTER_KEY}"),
            more: Vec::new(),
        }
    }

    /// The same with another variable.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.more.push((name, value));
        self
    }

    /// The server's command, without arguments.
    #[must_use]
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = server::command(&program::server(), folder);
        command
            .env("SAKMS_LISTEN", "127.0.0.1:0")
            .env("SAKMS_FRAMEWORK", self.framework)
            .env("SAKMS_DATABASE_URL", &self.database)
            .env("SAKMS_MASTER_KEY", &self.master_keys)
            .env("JWT_SECRET", JWT_SECRET)
            .env("SAKMS_TOKEN_LIFETIME", "86400")
            .env("SAKMS_KEY_HASHER", "hmac-sha256")
            .env("SAKMS_THROTTLES", "off")
            // A line for each of a million requests is more than a harness can keep.
            .env("SAKMS_LOG", "info,sakms_server::trace=warn")
            .envs(self.more.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the node and waits until it listens.
    #[must_use]
    pub fn start(&self, folder: &Path) -> Server {
        Server::spawn(self.command(folder))
    }
}

/// Frameworks in turns.
#[must_use]
pub const fn framework(number: usize) -> &'static str {
    ["axum", "actix"][number % 2]
}
