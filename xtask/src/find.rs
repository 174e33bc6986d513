//! Finding programs that the system has: a MariaDB server, a browser and its driver.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::run;

/// MariaDB's daemon.
pub(crate) const MARIADBD: Wanted = Wanted {
    variable: "SAKMS_MARIADBD",
    names: &["mariadbd", "mysqld"],
    what: "MariaDB's daemon",
    // A `mysqld` may be MySQL's, which is set up in another way.
    version_says: &["MariaDB"],
    asked: "--version",
};

/// A browser that `chromedriver` can drive.
pub(crate) const CHROMIUM: Wanted = Wanted {
    variable: "SAKMS_CHROMIUM",
    names: &[
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "Chromium",
        "Google Chrome",
    ],
    what: "Chromium",
    version_says: &["Chromium", "Google Chrome"],
    asked: "--version",
};

/// The program that drives the browser.
pub(crate) const CHROMEDRIVER: Wanted = Wanted {
    variable: "SAKMS_CHROMEDRIVER",
    names: &["chromedriver"],
    what: "chromedriver",
    version_says: &["ChromeDriver"],
    asked: "--version",
};

/// What nodes of a cluster copy their data with.
pub(crate) const RSYNC: Wanted = Wanted {
    variable: "SAKMS_RSYNC",
    names: &["rsync"],
    what: "rsync",
    version_says: &["rsync"],
    asked: "--version",
};

/// A proxy in front of a cluster.
pub(crate) const HAPROXY: Wanted = Wanted {
    variable: "SAKMS_HAPROXY",
    names: &["haproxy"],
    what: "HAProxy",
    version_says: &["HAProxy"],
    // It answers to the long form as well, and fails.
    asked: "-v",
};

const INSTALLER_NAMES: [&str; 2] = ["mariadb-install-db", "mysql_install_db"];

/// Where packages put programs. Most are not in the PATH of a plain user.
const USUAL_FOLDERS: [&str; 10] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/local/bin",
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
    "/Applications/Chromium.app/Contents/MacOS",
    "/Applications/Google Chrome.app/Contents/MacOS",
];

/// Where Homebrew keeps each package in a folder of its own.
const HOMEBREW_FOLDERS: [&str; 3] = [
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/home/linuxbrew/.linuxbrew/opt",
];

/// A program that the system may have, and how it is known.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The variable that names the one to use.
    pub(crate) variable: &'static str,
    names: &'static [&'static str],
    what: &'static str,
    version_says: &'static [&'static str],
    /// The argument that makes it say its version.
    asked: &'static str,
}

impl Wanted {
    /// The program, if the system has one. Fails if the user named one that is none: another in its place would be a
    /// surprise.
    pub(crate) fn find(&self) -> Outcome<Option<PathBuf>> {
        match env::var_os(self.variable).filter(|named| !named.is_empty()) {
            Some(named) => self.named(named).map(Some),
            None => Ok(self.among(&folders())),
        }
    }

    fn named(&self, named: OsString) -> Outcome<PathBuf> {
        let path = PathBuf::from(named);
        let problem = if !path.exists() {
            "is not there".to_owned()
        } else if !is_program(&path) {
            "is not a program".to_owned()
        } else if !self.is(&path) {
            format!("is not {}", self.what)
        } else {
            return Ok(path);
        };
        let (variable, path, name) = (self.variable, path.display(), self.names[0]);
        Err(Failure::new(format!(
            "{variable}={path} {problem}; name a {name}, or unset it to let one be found"
        )))
    }

    fn among(&self, folders: &[PathBuf]) -> Option<PathBuf> {
        programs(self.names, folders).find(|path| self.is(path))
    }

    fn is(&self, program: &Path) -> bool {
        run::capture(Command::new(program).arg(self.asked)).is_ok_and(|version| {
            let said = |words: &&str| version.contains(words);
            self.version_says.iter().any(said)
        })
    }
}

/// The program that fills an empty data folder for this daemon.
pub(crate) fn installer(daemon: &Path) -> Outcome<PathBuf> {
    // Beside the daemon first: two versions may be installed.
    let mut candidates = Vec::new();
    for base in daemon.ancestors().skip(1).take(2) {
        for folder in ["", "bin", "scripts"] {
            candidates.push(base.join(folder));
        }
    }
    candidates.extend(folders());
    first(&INSTALLER_NAMES, &candidates).ok_or_else(|| {
        Failure::new(format!(
            "found {} but no mariadb-install-db to go with it; is the installation complete?",
            daemon.display()
        ))
    })
}

fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = env::split_paths(&path).collect();
    folders.extend(USUAL_FOLDERS.iter().map(PathBuf::from));
    folders.extend(
        HOMEBREW_FOLDERS
            .iter()
            .flat_map(|base| homebrew(Path::new(base))),
    );
    folders
}

/// `mariadb`, `mariadb@10.11` and the like below a Homebrew folder.
fn homebrew(base: &Path) -> Vec<PathBuf> {
    let Ok(packages) = fs::read_dir(base) else {
        return Vec::new();
    };
    let mut found: Vec<_> = packages
        .flatten()
        .filter(|package| package.file_name().to_string_lossy().starts_with("mariadb"))
        .map(|package| package.path().join("bin"))
        .collect();
    found.sort();
    found
}

fn first(names: &[&str], folders: &[PathBuf]) -> Option<PathBuf> {
    programs(names, folders).next()
}

/// The better name first, wherever it is.
fn programs(names: &[&str], folders: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .filter(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(folder: &Path, name: &str, script: &str) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mariadbd"), "not a program").unwrap();
        let folders = [folder.path().to_owned(), folder.path().join("missing")];
        assert_eq!(MARIADBD.among(&folders), None);
    }

    #[test]
    fn the_name_of_today_is_preferred_to_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("a"), folder.path().join("b"));
        let mysqld = program(&old, "mysqld", "echo mysqld from MariaDB");
        let mariadbd = program(&new, "mariadbd", "echo mariadbd from MariaDB");
        let both = [old, new];
        assert_eq!(MARIADBD.among(&both), Some(mariadbd.clone()));
        fs::remove_file(mariadbd).unwrap();
        assert_eq!(MARIADBD.among(&both), Some(mysqld));
    }

    #[test]
    fn a_browser_is_known_by_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let snap = folder.path().join("a");
        // What Ubuntu has under this name is a hint to install another.
        program(
            &snap,
            "chromium-browser",
            "echo install the snap >&2; exit 1",
        );
        let right = program(folder.path(), "google-chrome", "echo Google Chrome 156.0");
        let folders = [snap, folder.path().to_owned()];
        assert_eq!(CHROMIUM.among(&folders), Some(right));
        assert_eq!(CHROMEDRIVER.among(&folders), None);
    }

    #[test]
    fn homebrew_packages_are_found_by_their_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["mariadb@10.11", "mariadb", "mysql"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let expected = ["mariadb/bin", "mariadb@10.11/bin"].map(|name| folder.path().join(name));
        assert_eq!(homebrew(folder.path()), expected);
    }

    #[test]
    fn a_named_daemon_must_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let named = |path: PathBuf| MARIADBD.named(path.into());
        let missing = named(folder.path().join("mariadbd"));
        let missing = missing.unwrap_err().to_string();
        assert!(missing.contains("is not there"), "{missing}");

        let other = program(folder.path(), "mysqld", "echo mysqld from MySQL");
        let other = named(other).unwrap_err().to_string();
        assert!(other.contains("is not MariaDB's daemon"), "{other}");

        let right = program(folder.path(), "mariadbd", "echo Ver 10.11-MariaDB");
        assert_eq!(named(right.clone()).unwrap(), right);
    }

    #[test]
    fn the_installer_beside_the_daemon_is_preferred() {
        let folder = tempfile::tempdir().unwrap();
        let installer = program(
            &folder.path().join("scripts"),
            "mariadb-install-db",
            "exit 0",
        );
        let daemon = program(&folder.path().join("bin"), "mariadbd", "exit 0");
        assert_eq!(self::installer(&daemon).unwrap(), installer);
    }
}
