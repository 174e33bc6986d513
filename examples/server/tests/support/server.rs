//! The server of this package as a process.

use std::path::Path;
use std::process::Command;

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use sakms_torture::harness::server::{JWT_SECRET, MASTER_KEY, Server, output};

/// A command with nothing of the surrounding environment that could set a setting.
pub(crate) fn command(folder: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_sakms-server"));
    sakms_torture::harness::server::command(program, folder)
}
