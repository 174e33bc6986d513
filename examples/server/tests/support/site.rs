//! Where a server runs: on which framework, and in which folder.

use std::path::Path;
use std::time::Duration;

use super::server::{self, Server};

/// What serves, as the setting names it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Framework {
    Axum,
    Actix,
}

/// An empty folder for a server on one framework.
pub(crate) struct Site {
    framework: &'static str,
    folder: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new(framework: Framework) -> Self {
        let framework = match framework {
            Framework::Axum => "axum",
            Framework::Actix => "actix",
        };
        let folder = tempfile::tempdir().unwrap();
        Self { framework, folder }
    }

    /// Another folder, for a server on the other framework.
    pub(crate) fn on_the_other_framework(&self) -> Self {
        Self::new(match self.framework {
            "axum" => Framework::Actix,
            _ => Framework::Axum,
        })
    }

    pub(crate) fn framework(&self) -> &'static str {
        self.framework
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server on a free port and waits until it listens.
    pub(crate) fn start(&self, settings: &[(&str, &str)]) -> Server {
        let mut command = server::command(self.folder());
        command
            .env("SAKMS_FRAMEWORK", self.framework)
            .env("SAKMS_LISTEN", "127.0.0.1:0")
            .envs(settings.iter().copied());
        Server::spawn(command)
    }

    /// Runs the server with these arguments and settings, expecting it to end by itself: its status, stdout and stderr.
    pub(crate) fn run(
        &self,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> (i32, String, String) {
        let mut command = server::command(self.folder());
        command
            .env("SAKMS_FRAMEWORK", self.framework)
            .args(arguments)
            .envs(settings.iter().copied());
        server::output(command, Duration::from_mins(1))
    }
}

/// Makes of each function two tests: what one framework does, the other does.
macro_rules! on_each_framework {
    ($($test:ident),* $(,)?) => {
        on_each_framework!(@ axum Axum $($test)*);
        on_each_framework!(@ actix Actix $($test)*);
    };
    (@ $module:ident $framework:ident $($test:ident)*) => {
        mod $module {
            use crate::support::site::{Framework, Site};
            $(
                #[test]
                fn $test() {
                    super::$test(&Site::new(Framework::$framework));
                }
            )*
        }
    };
}
