//! The temporary folder of one run: the database, and the temporary files of
//! the tests. All of it goes when the run ends.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::failure::{Attempt, Failure, Outcome};
use crate::{report, run};

/// Linux's file system in memory.
const MEMORY: &str = "/dev/shm";

/// What all tests at once may write, in KiB, with much to spare.
const ROOM: u64 = 6 * 1024 * 1024;

/// A temporary folder, removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// Makes a folder that other users may pass through, because root runs the
    /// database as another user. What is private inside has its own mode.
    pub(crate) fn create() -> Outcome<Self> {
        Self::create_in(&parent()?)
    }

    /// The same in memory, where there is room and nobody said where temporary files belong: whether a test waits for a disk
    /// that is busy says nothing of what it tests. A process that is killed loses no more there than on a disk.
    pub(crate) fn in_memory() -> Outcome<Self> {
        let memory = Path::new(MEMORY);
        if env::var_os("TMPDIR").is_none() && free(memory).is_some_and(|free| free >= ROOM) {
            Self::create_in(memory)
        } else {
            Self::create()
        }
    }

    fn create_in(parent: &Path) -> Outcome<Self> {
        let folder = tempfile::Builder::new()
            .prefix("sakms-")
            .tempdir_in(parent)
            .attempt(|| format!("cannot make a folder in {}", parent.display()))?;
        let scratch = Self { folder };
        open_to_others(scratch.path())?;
        Ok(scratch)
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder for the temporary files of the tests: a test that is killed
    /// does not remove its own.
    ///
    /// The name is short because a socket's path may have about 100 bytes.
    pub(crate) fn for_tests(&self) -> Outcome<PathBuf> {
        let path = self.path().join("t");
        fs::create_dir(&path).attempt(|| format!("cannot make {}", path.display()))?;
        open_to_others(&path)?;
        Ok(path)
    }

    /// Ends servers that a killed test left behind. They are known by their
    /// arguments, which name files in this folder and nowhere else.
    fn end_strays(&self) {
        let strays = strays(self.path());
        if strays.is_empty() {
            return;
        }
        run::send("TERM", &strays);
        for _ in 0..50 {
            if self::strays(self.path()).is_empty() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        run::send("KILL", self::strays(self.path()));
        thread::sleep(Duration::from_millis(200));
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.end_strays();
        let path = self.path();
        if let Err(error) = fs::remove_dir_all(path) {
            report::say(&format!(
                "warning: cannot remove {}: {error}",
                path.display()
            ));
        }
    }
}

/// Whether this process is root's, who may not run a database as itself.
pub(crate) fn is_root() -> bool {
    user_id(&[]) == Some(0)
}

/// The account that runs the database for root.
pub(crate) fn database_account() -> &'static str {
    if user_id(&["mysql"]).is_some() {
        "mysql"
    } else {
        "nobody"
    }
}

fn user_id(user: &[&str]) -> Option<u32> {
    let answer = run::capture(Command::new("id").arg("-u").args(user)).ok()?;
    answer.trim().parse().ok()
}

/// The first folder for temporary files that another user can reach.
fn parent() -> Outcome<PathBuf> {
    let usual = env::temp_dir();
    if !is_root() {
        return Ok(usual);
    }
    [usual, "/tmp".into(), "/var/tmp".into()]
        .into_iter()
        .find(|path| path.is_dir() && path.ancestors().all(open_to_all))
        .ok_or_else(|| Failure::new("no temporary folder that user mysql can reach; set TMPDIR"))
}

/// What is free in a folder's file system, in KiB, if it can be known.
fn free(folder: &Path) -> Option<u64> {
    let table = run::capture(Command::new("df").arg("-Pk").arg(folder)).ok()?;
    table
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()
}

#[cfg(unix)]
fn open_to_all(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // The last ancestor of a relative path is empty.
    folder.as_os_str().is_empty()
        || fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0)
}

#[cfg(not(unix))]
fn open_to_all(_folder: &Path) -> bool {
    true
}

#[cfg(unix)]
fn open_to_others(folder: &Path) -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711))
        .attempt(|| format!("cannot open {} to others", folder.display()))
}

#[cfg(not(unix))]
fn open_to_others(_folder: &Path) -> Outcome {
    Ok(())
}

/// The processes whose arguments name something below the folder. Only Linux
/// can tell without help; elsewhere there are none.
fn strays(folder: &Path) -> Vec<String> {
    let wanted = format!("{}/", folder.display()).into_bytes();
    let own = std::process::id().to_string();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()) && *id != own)
        .filter(|id| {
            fs::read(format!("/proc/{id}/cmdline"))
                .is_ok_and(|line| line.windows(wanted.len()).any(|part| part == wanted))
        })
        .collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_everything_in_it() {
        let scratch = Scratch::create().unwrap();
        let path = scratch.path().to_owned();
        fs::write(scratch.for_tests().unwrap().join("left"), "behind").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_free_is_known_where_there_is_a_folder() {
        assert!(free(&env::temp_dir()).is_some());
        assert_eq!(free(Path::new("/no/such/folder")), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_left_behind_is_ended() {
        let scratch = Scratch::create().unwrap();
        let data = format!("--datadir={}/t/x", scratch.path().display());
        let mut stray = Command::new("sh")
            .args(["-c", "while :; do sleep 0.1; done", "sh", &data])
            .spawn()
            .unwrap();
        // A process is there a moment before its arguments are.
        while strays(scratch.path()) != [stray.id().to_string()] {
            assert!(stray.try_wait().unwrap().is_none(), "ended by itself");
        }
        // A zombie has no arguments, so nobody need wait for it meanwhile.
        drop(scratch);
        assert!(!stray.wait().unwrap().success());
    }
}
