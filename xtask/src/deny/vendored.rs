//! The database of advisories that comes with this workspace, as cargo-deny reads one: a Git repository, in a folder that is
//! called like its copy of `RustSec`'s.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::Deny;
use crate::failure::{Attempt, Failure, Outcome};
use crate::run;
use crate::workspace::root;

/// What cargo-deny makes of the address of `RustSec`'s database.
const NAME: &str = "advisory-db-3157b0e258782691";
/// What follows in the configuration.
const TABLE: &str = "[advisories]\n";

impl Deny {
    /// Checks for the vulnerabilities in `advisories/`: what is to be known where nothing can be fetched.
    pub(crate) fn check_vendored(&self) -> Outcome {
        let problem = || "cannot make a database of advisories/".to_owned();
        let scratch = tempfile::tempdir().attempt(problem)?;
        let database = scratch.path().join("databases").join(NAME);
        copy(&root().join("advisories"), &database.join("crates")).attempt(problem)?;
        for arguments in [
            "init --quiet",
            "add --all",
            "-c user.name=SAKMS -c user.email=sakms@localhost commit --quiet --message advisories",
        ] {
            let mut git = Command::new("git");
            // Whatever repository this is called from.
            git.current_dir(&database).env_remove("GIT_DIR");
            run::run(git.args(arguments.split(' ')))?;
        }
        let configuration = configuration(&scratch)?;
        let mut command = self.command("--locked --offline --config");
        run::run(command.arg(configuration).args(["check", "advisories"]))
    }
}

/// The workspace's configuration with this database.
fn configuration(scratch: &TempDir) -> Outcome<PathBuf> {
    let path = root().join("deny.toml");
    let text = fs::read_to_string(&path).attempt(|| format!("cannot read {}", path.display()))?;
    let (before, after) = text
        .split_once(TABLE)
        .ok_or_else(|| Failure::new(format!("{} has no table of advisories", path.display())))?;
    let databases = scratch.path().join("databases");
    let text = format!(
        "{before}{TABLE}db-path = \"{}\"\n{after}",
        databases.display()
    );
    let path = scratch.path().join("deny.toml");
    fs::write(&path, text).attempt(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Copies the folders of a folder, each with its files.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for folder in fs::read_dir(from)? {
        let folder = folder?.path();
        let (true, Some(name)) = (folder.is_dir(), folder.file_name()) else {
            continue;
        };
        fs::create_dir_all(to.join(name))?;
        for file in fs::read_dir(&folder)? {
            let file = file?;
            fs::copy(file.path(), to.join(name).join(file.file_name()))?;
        }
    }
    Ok(())
}
