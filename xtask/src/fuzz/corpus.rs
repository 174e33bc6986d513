//! The inputs that are kept: few and small enough for the repository, and each of them reaches code that no other does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Attempt, Outcome};
use crate::run;
use crate::workspace::{root, target};

/// The longest input that is kept, in bytes.
const LONGEST: u64 = 2_048;

/// Where inputs are that are kept in the repository.
pub(super) fn kept(name: &str) -> PathBuf {
    root().join("fuzz/corpus").join(name)
}

/// Where a target puts what it finds: all of it, for the next run.
pub(super) fn found(name: &str) -> PathBuf {
    target().join("fuzz/corpus").join(name)
}

/// Words that inputs are made of, where somebody has written some down.
pub(super) fn dictionary(name: &str) -> Option<PathBuf> {
    let path = root()
        .join("fuzz/dictionaries")
        .join(format!("{name}.dict"));
    path.is_file().then_some(path)
}

/// Adds to the kept inputs those that reach code which they do not, and gives how many there were.
pub(super) fn keep(program: &Path, name: &str) -> Outcome<u64> {
    let (kept, found) = (kept(name), found(name));
    fs::create_dir_all(&kept).attempt(|| format!("cannot make {}", kept.display()))?;
    let before = count(&kept)?;
    let log = target().join("fuzz/logs").join(format!("{name}.merge.log"));
    let log = fs::File::create(&log).attempt(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(program);
    command
        .args(["-merge=1", "-use_counters=0"])
        .arg(format!("-max_len={LONGEST}"))
        .args([&kept, &found])
        .current_dir(root())
        .stdout(Stdio::null())
        .stderr(log);
    run::run(&mut command)?;
    Ok(count(&kept)?.saturating_sub(before))
}

fn count(folder: &Path) -> Outcome<u64> {
    let entries = fs::read_dir(folder).attempt(|| format!("cannot read {}", folder.display()))?;
    Ok(entries.map(|_| 1).sum())
}
