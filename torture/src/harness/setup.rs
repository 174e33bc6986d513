//! A server with the settings that scenarios share.

use std::path::Path;

use super::program;
use super::server::{JWT_SECRET, MASTER_KEY, Server, command};

/// Both frameworks, by the names that the server knows them by.
pub const FRAMEWORKS: [&str; 2] = ["axum", "actix"];

/// Starts a server in this folder, with an SQLite database there unless the settings name another.
#[must_use]
pub fn start(framework: &str, folder: &Path, settings: &[(&str, &str)]) -> Server {
    let mut server = command(&program::server(), folder);
    server
        .env("SAKMS_FRAMEWORK", framework)
        .env("SAKMS_LISTEN", "127.0.0.1:0")
        .env("SAKMS_MASTER_KEY", MASTER_KEY)
        .env("JWT_SECRET", JWT_SECRET)
        .envs(settings.iter().copied());
    Server::spawn(server)
}
