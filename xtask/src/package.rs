//! What would be published: whether everything is in it that has to be, nothing that has not, and whether it builds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Attempt, Failure, Outcome};
use crate::metadata::{self, Package};
use crate::report::say;
use crate::run::{capture, run};
use crate::workspace::{cargo, root, target};

/// The most bytes of a package. What is larger has something in it that nobody has asked for.
const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// What every package has.
const NEEDED: [&str; 3] = ["Cargo.toml", "LICENSE", "README.md"];

/// Packs each published crate and checks what came of it.
///
/// `cargo package` could build the packages itself, each in a workspace of its own, with every dependency anew. Here they
/// are checked together, and share what the other checks have built.
pub(crate) fn check() -> Outcome {
    let packages = metadata::published()?;
    let folder = target().join("package");
    let mut command = cargo("package --locked --quiet --no-verify --allow-dirty");
    for package in &packages {
        command.args(["--package", &package.name]);
    }
    run(&mut command)?;

    let bench = folder.join("check");
    empty(&bench)?;
    let licence = read(&root().join("LICENSE"))?;
    for package in &packages {
        let (name, version) = (&package.name, &package.version);
        let packed = folder.join(format!("{name}-{version}.crate"));
        unpack(&packed, &bench)?;
        let size = fs::metadata(&packed).attempt(|| format!("no {}", packed.display()))?;
        say(&format!("    {name}: {} KiB", size.len() / 1024));
        let unpacked = bench.join(format!("{name}-{version}"));
        let mut findings = findings(&unpacked, &licence)?;
        if size.len() > MOST_BYTES {
            findings.push(format!(
                "has {} bytes, at most {MOST_BYTES} are allowed",
                size.len()
            ));
        }
        if let Some(finding) = findings.first() {
            return Err(Failure::new(format!("the package {name} {finding}")));
        }
    }
    build(&packages, &bench)?;
    empty(&bench)
}

/// What is wrong with the files of a package.
fn findings(package: &Path, licence: &str) -> Outcome<Vec<String>> {
    let mut findings = Vec::new();
    for name in NEEDED {
        if !package.join(name).is_file() {
            findings.push(format!("has no {name}"));
        }
    }
    let own = package.join("LICENSE");
    if own.is_file() && read(&own)? != licence {
        findings.push("has a LICENSE that is not the workspace's".to_owned());
    }
    for folder in folders(package)? {
        // What is packed is somebody else's, and comes with their licence.
        let is_packed = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "gz");
        let files = files(&folder)?;
        if files.iter().any(is_packed) && !folder.join("LICENSE").is_file() {
            findings.push(format!(
                "has others' files without a LICENSE in {}",
                folder.display()
            ));
        }
        let database = |path: &PathBuf| path.to_string_lossy().contains(".db");
        findings.extend(
            files
                .iter()
                .filter(|path| database(path))
                .map(|path| format!("has a database in it: {}", path.display())),
        );
    }
    Ok(findings)
}

/// Checks that the packages build from nothing but what is in them.
fn build(packages: &[Package], bench: &Path) -> Outcome {
    let names: Vec<_> = packages
        .iter()
        .map(|Package { name, version, .. }| (name, format!("{name}-{version}")))
        .collect();
    let members: Vec<_> = names
        .iter()
        .map(|(_, folder)| format!("{folder:?}"))
        .collect();
    let patches: Vec<_> = names
        .iter()
        .map(|(name, folder)| format!("{name} = {{ path = {folder:?} }}\n"))
        .collect();
    let manifest = read(&root().join("Cargo.toml"))?;
    // The same profiles, so that the same builds of the dependencies fit.
    let profiles = manifest
        .find("[profile")
        .map_or("", |start| &manifest[start..]);
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[patch.crates-io]\n{}\n{profiles}",
        members.join(", "),
        patches.concat()
    );
    write(&bench.join("Cargo.toml"), &manifest)?;
    write(
        &bench.join("Cargo.lock"),
        &read(&root().join("Cargo.lock"))?,
    )?;
    // Not locked: the lock file knows more packages than are here, and cargo takes them out.
    let mut command = cargo("check --offline --quiet --workspace --all-features");
    run(command.current_dir(bench).env("CARGO_TARGET_DIR", target()))
}

fn unpack(packed: &Path, into: &Path) -> Outcome {
    let mut command = Command::new("tar");
    command.arg("-xzf").arg(packed).arg("-C").arg(into);
    capture(&mut command).map(drop)
}

fn empty(folder: &Path) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder).attempt(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).attempt(|| format!("cannot make {}", folder.display()))
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).attempt(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).attempt(unreadable));
    paths.collect()
}

/// The folder and all below it.
fn folders(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = vec![folder.to_owned()];
    let mut place = 0;
    while let Some(folder) = found.get(place).cloned() {
        found.extend(files(&folder)?.into_iter().filter(|path| path.is_dir()));
        place += 1;
    }
    Ok(found)
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).attempt(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).attempt(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        findings(folder.path(), "ours").unwrap().join("\n")
    }

    #[test]
    fn what_has_to_be_in_a_package_is_missed() {
        let whole = [("Cargo.toml", ""), ("README.md", ""), ("LICENSE", "ours")];
        assert_eq!(found(&whole), "");
        for without in 0..whole.len() {
            let mut files = whole.to_vec();
            let (name, _) = files.remove(without);
            assert_eq!(found(&files), format!("has no {name}"));
        }
    }

    #[test]
    fn licences_are_looked_for() {
        let files = [("Cargo.toml", ""), ("README.md", ""), ("LICENSE", "theirs")];
        assert!(found(&files).contains("is not the workspace's"));
        let ours = ("LICENSE", "ours");
        let packed = [files[0], files[1], ours, ("assets/page/page.js.gz", "")];
        assert!(found(&packed).contains("without a LICENSE"));
        let with = ("assets/page/LICENSE", "theirs");
        assert_eq!(
            found(&[packed[0], packed[1], packed[2], packed[3], with]),
            ""
        );
    }

    #[test]
    fn what_a_test_left_behind_is_found() {
        let files = [("Cargo.toml", ""), ("README.md", ""), ("LICENSE", "ours")];
        let left = ("src/sakms.db-wal", "");
        assert!(found(&[files[0], files[1], files[2], left]).contains("sakms.db-wal"));
    }
}
