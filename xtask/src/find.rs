//! Finding the programs of a MariaDB server that the system has.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::run;

/// The variable that names the daemon to use.
pub(crate) const DAEMON_VARIABLE: &str = "SAKMS_MARIADBD";

const DAEMON_NAMES: [&str; 2] = ["mariadbd", "mysqld"];
const INSTALLER_NAMES: [&str; 2] = ["mariadb-install-db", "mysql_install_db"];

/// Where packages put a daemon. Most are not in the PATH of a plain user.
const USUAL_FOLDERS: [&str; 6] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/local/bin",
];

/// Where Homebrew keeps each package in a folder of its own.
const HOMEBREW_FOLDERS: [&str; 3] = [
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/home/linuxbrew/.linuxbrew/opt",
];

/// The MariaDB daemon of this system, if it has one. Fails if the user named
/// one that is none: another in its place would be a surprise.
pub(crate) fn daemon() -> Outcome<Option<PathBuf>> {
    if let Some(named) = env::var_os(DAEMON_VARIABLE).filter(|named| !named.is_empty()) {
        return named_daemon(named.into()).map(Some);
    }
    Ok(daemons_in(&folders()).find(|path| is_mariadb(path)))
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

fn named_daemon(path: PathBuf) -> Outcome<PathBuf> {
    let problem = if !path.exists() {
        "is not there"
    } else if !is_program(&path) {
        "is not a program"
    } else if !is_mariadb(&path) {
        "is not MariaDB's daemon"
    } else {
        return Ok(path);
    };
    let path = path.display();
    Err(Failure::new(format!(
        "{DAEMON_VARIABLE}={path} {problem}; name a mariadbd, or unset it to let one be found"
    )))
}

/// A `mysqld` may be MySQL's, which is set up in another way.
fn is_mariadb(daemon: &Path) -> bool {
    run::capture(Command::new(daemon).arg("--version"))
        .is_ok_and(|version| version.contains("MariaDB"))
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

fn daemons_in(folders: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    programs(&DAEMON_NAMES, folders)
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
        assert_eq!(daemons_in(&folders).count(), 0);
    }

    #[test]
    fn the_name_of_today_is_preferred_to_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("a"), folder.path().join("b"));
        let mysqld = program(&old, "mysqld", "echo mysqld from MariaDB");
        let mariadbd = program(&new, "mariadbd", "echo mariadbd from MariaDB");
        assert_eq!(
            daemons_in(&[old, new]).collect::<Vec<_>>(),
            [mariadbd, mysqld]
        );
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
        let missing = named_daemon(folder.path().join("mariadbd"))
            .unwrap_err()
            .to_string();
        assert!(missing.contains("is not there"), "{missing}");

        let other = program(folder.path(), "mysqld", "echo mysqld from MySQL");
        let other = named_daemon(other).unwrap_err().to_string();
        assert!(other.contains("is not MariaDB's daemon"), "{other}");

        let right = program(folder.path(), "mariadbd", "echo Ver 10.11-MariaDB");
        assert_eq!(named_daemon(right.clone()).unwrap(), right);
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
