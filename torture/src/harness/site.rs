//! A place where a server runs, and runs again: its folder and its settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::program;
use super::server::{self, MASTER_KEY, Server};

/// The frameworks, as the setting names them.
pub const FRAMEWORKS: [&str; 2] = ["axum", "actix"];

/// A folder and settings for a server; the framework may change with each start.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
    settings: BTreeMap<&'static str, String>,
    program: PathBuf,
}

impl Site {
    /// A place with the settings that scenarios share: a free port, cheap hashes, tokens that outlive the run, no throttles.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let settings = [
            ("SAKMS_LISTEN", "127.0.0.1:0"),
            ("SAKMS_MASTER_KEY", MASTER_KEY),
            ("SAKMS_KEY_HASHER", "hmac-sha256"),
            ("SAKMS_TOKEN_LIFETIME", "86400"),
            ("SAKMS_THROTTLES", "off"),
        ];
        Self {
            folder: folder.to_owned(),
            settings: settings
                .map(|(name, value)| (name, value.to_owned()))
                .into(),
            program: program::server(),
        }
    }

    /// The same with this setting.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.insert(name, value.into());
        self
    }

    /// The same on this framework.
    #[must_use]
    pub fn on(self, framework: &str) -> Self {
        self.with("SAKMS_FRAMEWORK", framework)
    }

    /// Chooses one framework or the other by a number: the next start is on the other one.
    pub fn turn(&mut self, number: usize) {
        let framework = FRAMEWORKS[number % FRAMEWORKS.len()];
        self.settings
            .insert("SAKMS_FRAMEWORK", framework.to_owned());
    }

    /// The folder in which the server runs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The server as a command, for who has more to say to it.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = server::command(&self.program, &self.folder);
        command.envs(&self.settings);
        command
    }

    /// Starts the server and waits until it listens.
    #[must_use]
    pub fn start(&self) -> Server {
        Server::spawn(self.command())
    }

    /// Runs a command of the server that ends by itself: its status, stdout and stderr.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.command();
        command.args(arguments);
        server::output(command, Duration::from_mins(10))
    }

    /// Whether the journal's chain holds, as the command says that checks it.
    #[must_use]
    pub fn chain_holds(&self) -> bool {
        let (status, out, err) = self.run(&["audit", "verify"]);
        if status != 0 {
            eprintln!("    audit verify: {status}\n{out}{err}");
        }
        status == 0
    }
}
