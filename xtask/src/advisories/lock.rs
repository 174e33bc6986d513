//! The versions that `Cargo.lock` names, held against `advisories/`.

use std::fs;
use std::path::Path;

use semver::{Version, VersionReq};

use crate::failure::{Attempt, Failure, Outcome};

/// A published flaw of a package.
#[derive(Debug)]
struct Advisory {
    id: String,
    package: String,
    /// The versions without it.
    patched: Vec<VersionReq>,
}

/// Checks that no version that is locked has a flaw that is known.
pub(crate) fn check(root: &Path) -> Outcome {
    let lock = root.join("Cargo.lock");
    let lock = fs::read_to_string(&lock).attempt(|| format!("cannot read {}", lock.display()))?;
    let found = findings(&lock, &advisories(&root.join("advisories"))?)?;
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::new(found.join("\n    ")))
}

fn findings(lock: &str, advisories: &[Advisory]) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    for (name, version) in packages(lock)? {
        for advisory in advisories
            .iter()
            .filter(|advisory| advisory.package == name)
        {
            if !advisory
                .patched
                .iter()
                .any(|patched| patched.matches(&version))
            {
                found.push(format!("{name} {version} has {}", advisory.id));
            }
        }
    }
    Ok(found)
}

/// The packages of a lock file.
fn packages(lock: &str) -> Outcome<Vec<(String, Version)>> {
    let mut packages = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let (Some(name), Some(version)) = (value(package, "name"), value(package, "version"))
        else {
            return Err(Failure::new(
                "Cargo.lock has a package without a name or version",
            ));
        };
        let version = version.trim_matches('"');
        let version =
            Version::parse(version).attempt(|| format!("{name} {version} in Cargo.lock"))?;
        packages.push((name.trim_matches('"').to_owned(), version));
    }
    Ok(packages)
}

/// The advisories of a folder, which has a folder for each package.
fn advisories(folder: &Path) -> Outcome<Vec<Advisory>> {
    let mut advisories = Vec::new();
    for package in entries(folder)?.iter().filter(|entry| entry.is_dir()) {
        for file in entries(package)? {
            let problem = || format!("cannot read {}", file.display());
            let text = fs::read_to_string(&file).attempt(problem)?;
            let advisory = Advisory::parse(&text);
            advisories.push(advisory.ok_or_else(|| Failure::new(problem()))?);
        }
    }
    if advisories.is_empty() {
        return Err(Failure::new(format!("{} is empty", folder.display())));
    }
    Ok(advisories)
}

fn entries(folder: &Path) -> Outcome<Vec<std::path::PathBuf>> {
    let problem = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).attempt(problem)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).attempt(problem));
    paths.collect()
}

impl Advisory {
    fn parse(text: &str) -> Option<Self> {
        // An array of strings is written in TOML as in JSON.
        let patched: Vec<String> = serde_json::from_str(value(text, "patched")?).ok()?;
        let patched = patched
            .iter()
            .map(|patched| VersionReq::parse(patched).ok());
        let text = |name| Some(value(text, name)?.trim_matches('"').to_owned());
        Some(Self {
            id: text("id")?,
            package: text("package")?,
            patched: patched.collect::<Option<_>>()?,
        })
    }
}

/// What stands behind `name =` in a line of its own.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?.trim_start();
        Some(rest.strip_prefix('=')?.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::root;

    #[test]
    fn what_is_locked_has_no_known_flaw() {
        assert_eq!(check(root()).map_err(|failure| failure.to_string()), Ok(()));
    }

    /// Of each package that has an advisory.
    #[test]
    fn a_version_with_a_flaw_is_found() {
        let advisories = advisories(&root().join("advisories")).unwrap();
        for (name, bad, good) in [
            ("sqlx", "0.8.0", Some("0.8.1")),
            ("h2", "0.4.15", Some("0.4.16")),
            ("axum-core", "0.2.7", Some("0.5.6")),
            ("actix-http", "3.0.0-beta.8", Some("3.20.0")),
            ("rand", "0.9.2", Some("0.9.3")),
            ("rand", "0.10.0", Some("0.10.1")),
            ("rsa", "0.9.10", None),
            ("bcrypt", "0.19.1", Some("0.19.2")),
            ("lru", "0.18.1", Some("0.18.2")),
            ("time", "0.3.46", Some("0.3.47")),
            ("jsonwebtoken", "10.2.0", Some("10.3.0")),
        ] {
            let of = |version: &str| {
                let lock = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
                findings(&lock, &advisories).unwrap()
            };
            assert!(!of(bad).is_empty(), "{name} {bad}");
            if let Some(good) = good {
                assert_eq!(of(good), Vec::<String>::new(), "{name} {good}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(Advisory::parse("id = \"a\"\npackage = \"b\"\n").is_none());
        assert!(Advisory::parse("id = \"a\"\npackage = \"b\"\npatched = [\"one\"]\n").is_none());
        assert!(packages("[[package]]\nname = \"a\"\n").is_err());
        assert!(packages("[[package]]\nname = \"a\"\nversion = \"one\"\n").is_err());
    }
}
