//! Installing what tests need where that is possible without asking anybody:
//! as root, on a system with apt-get. That is what CI is.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Attempt, Failure, Outcome};
use crate::{find, report, run, scratch};

/// Debian's packages ask this script before they start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

const MARIADB_ADVICE: &str = "MariaDB is not installed: install it (Debian, Ubuntu: `apt-get install mariadb-server`; \
     macOS: `brew install mariadb`), or name a mariadbd in SAKMS_MARIADBD or a running server in \
     SAKMS_TEST_MARIADB_URL; `cargo xtask test --no-mariadb` runs the tests that need none";

const BROWSER_ADVICE: &str = "Chromium or chromedriver is not installed: install both (Debian: \
     `apt-get install chromium chromium-driver`; macOS: `brew install --cask google-chrome chromedriver`), or name them \
     in SAKMS_CHROMIUM and SAKMS_CHROMEDRIVER; `cargo xtask test --no-browser` runs the tests that need none";

const TROUBLE_ADVICE: &str = "strace or faketime is not installed (Debian: `apt-get install strace faketime`): power cuts, migrations \
     that are killed and clocks that jump are left out";

const CPP_ADVICE: &str = "libFuzzer is built with a C++ compiler, and there is none: install one (Debian, Ubuntu: \
     `apt-get install g++`), or name it in CXX";

/// What a cluster of several MariaDB needs besides them.
pub(crate) const GALERA_ADVICE: &str = "Galera or rsync is not installed, so the tests on a cluster are left out: install \
     both (Debian, Ubuntu: `apt-get install galera-4 rsync`), or name a libgalera_smm.so in SAKMS_GALERA";

/// What stands in front of a cluster.
pub(crate) const HAPROXY_ADVICE: &str = "HAProxy is not installed, so the scenario behind it is left out: install it \
     (Debian, Ubuntu: `apt-get install haproxy`), or name one in SAKMS_HAPROXY";

/// Installs MariaDB and gives its daemon, or says what to do instead.
pub(crate) fn mariadb() -> Outcome<PathBuf> {
    packages(&["mariadb-server"], MARIADB_ADVICE)?;
    let installed = find::MARIADBD.find()?;
    installed.ok_or_else(|| Failure::new("mariadb-server is installed but has no mariadbd"))
}

/// Installs Chromium and chromedriver, or says what to do instead.
pub(crate) fn browser() -> Outcome {
    packages(&["chromium", "chromium-driver"], BROWSER_ADVICE)
}

/// What kills processes at a system call and lets clocks jump, by the names that tests know them by. Installs what is missing where
/// it may; what needs the rest says so when it is skipped.
pub(crate) fn trouble() -> Vec<&'static str> {
    let here = || {
        let programs = [("strace", "strace"), ("faketime", "libfaketime")];
        let runs = |program: &str| run::capture(Command::new(program).arg("--version")).is_ok();
        let found = programs.into_iter().filter(|(program, _)| runs(program));
        found.map(|(_, name)| name).collect::<Vec<_>>()
    };
    let found = here();
    if found.len() == 2 {
        return found;
    }
    match packages(&["strace", "faketime"], TROUBLE_ADVICE) {
        Ok(()) => here(),
        Err(failure) => {
            report::say(&format!("    {failure}"));
            found
        }
    }
}

/// Finds a C++ compiler or installs one, or says what to do instead.
pub(crate) fn cpp() -> Outcome {
    let runs = |program: &OsStr| run::capture(Command::new(program).arg("--version")).is_ok();
    let named = std::env::var_os("CXX");
    if runs(named.as_deref().unwrap_or_else(|| OsStr::new("c++"))) {
        return Ok(());
    }
    packages(&["g++"], CPP_ADVICE)
}

/// Installs what a cluster needs, or says what to do instead.
pub(crate) fn galera() -> Outcome {
    packages(&["galera-4", "rsync"], GALERA_ADVICE)
}

/// Installs `HAProxy`, or says what to do instead.
pub(crate) fn haproxy() -> Outcome {
    packages(&["haproxy"], HAPROXY_ADVICE)
}

/// Whether anything can be installed: by root, with apt-get.
pub(crate) fn is_possible() -> bool {
    scratch::is_root() && run::capture(Command::new("apt-get").arg("--version")).is_ok()
}

/// Installs Debian's packages of these names, or gives the advice.
fn packages(names: &[&str], advice: &str) -> Outcome {
    if !is_possible() {
        return Err(Failure::new(advice));
    }
    let list = names.join(" and ");
    report::say(&format!("    installing Debian's {list} with apt-get"));
    let _policy = Policy::forbid_services(Path::new(POLICY))?;
    let install = [&["install", "-y", "--no-install-recommends"], names].concat();
    [&["update"][..], &install].iter().try_for_each(|args| {
        run::run(&mut apt_get(args)).map_err(|failure| match failure {
            Failure::Broken(cause) => Failure::new(format!("{cause}; {advice}")),
            interrupted @ Failure::Interrupted(_) => interrupted,
        })
    })
}

fn apt_get(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    // Another apt-get may be at work on a machine that was started just now.
    command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]);
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
    // Standard output is for results: `mariadb` prints its URL there.
    command.stdout(std::io::stderr());
    command
}

/// Keeps packages from starting services while it lives. A system that has a
/// policy of its own keeps it.
#[derive(Debug)]
struct Policy<'a> {
    ours: Option<&'a Path>,
}

impl<'a> Policy<'a> {
    fn forbid_services(path: &'a Path) -> Outcome<Self> {
        if path.exists() {
            return Ok(Self { ours: None });
        }
        // From here on `Drop` removes the file, even one half written.
        let policy = Self { ours: Some(path) };
        fs::write(path, "#!/bin/sh\nexit 101\n")
            .and_then(|()| make_executable(path))
            .attempt(|| format!("cannot write {}", path.display()))?;
        Ok(policy)
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.ours
            && let Err(error) = fs::remove_file(path)
        {
            report::say(&format!(
                "warning: cannot remove {}: {error}",
                path.display()
            ));
        }
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn our_policy_forbids_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy-rc.d");
        let policy = Policy::forbid_services(&path).unwrap();
        let answer = Command::new(&path).status().unwrap();
        assert_eq!(answer.code(), Some(101));
        drop(policy);
        assert!(!path.exists());
    }

    #[test]
    fn a_policy_of_the_system_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy-rc.d");
        fs::write(&path, "theirs").unwrap();
        drop(Policy::forbid_services(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    }

    #[test]
    fn an_advice_is_one_line_and_names_every_way_out() {
        let ways = [
            (
                MARIADB_ADVICE,
                "SAKMS_MARIADBD SAKMS_TEST_MARIADB_URL --no-mariadb",
            ),
            (
                BROWSER_ADVICE,
                "SAKMS_CHROMIUM SAKMS_CHROMEDRIVER --no-browser",
            ),
        ];
        for (advice, ways) in ways {
            assert!(!advice.contains('\n'));
            for way in ways.split(' ').chain(["apt-get install", "brew install"]) {
                assert!(advice.contains(way), "{advice}");
            }
        }
    }
}
