//! What makes a cluster of several MariaDB: Galera's library, and what its nodes copy their data with.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::report::say;
use crate::{find, install};

/// Names the library to use.
const VARIABLE: &str = "SAKMS_GALERA";

/// Where packages put it.
const USUAL_PLACES: [&str; 5] = [
    "/usr/lib/galera/libgalera_smm.so",
    "/usr/lib/galera-4/libgalera_smm.so",
    "/usr/lib64/galera-4/libgalera_smm.so",
    "/usr/lib64/galera/libgalera_smm.so",
    "/usr/lib/libgalera_smm.so",
];

/// The library. Installs it where that is possible; `None` after saying how to where it is not, for there are systems
/// without packages of it.
pub(crate) fn find_or_install() -> Outcome<Option<PathBuf>> {
    if let Some(found) = find()? {
        return Ok(Some(found));
    }
    if !install::is_possible() {
        say(&format!("    {}", install::GALERA_ADVICE));
        return Ok(None);
    }
    install::galera()?;
    let what = "galera-4 and rsync are installed but cannot be found";
    find()?.map(Some).ok_or_else(|| Failure::new(what))
}

/// `HAProxy`, which stands in front of a cluster. Installs it where that is possible.
pub(crate) fn haproxy() -> Outcome<Option<PathBuf>> {
    if let Some(found) = find::HAPROXY.find()? {
        return Ok(Some(found));
    }
    if !install::is_possible() {
        say(&format!("    {}", install::HAPROXY_ADVICE));
        return Ok(None);
    }
    install::haproxy()?;
    let what = "haproxy is installed but cannot be found";
    let found = find::HAPROXY.find()?;
    found.map(Some).ok_or_else(|| Failure::new(what))
}

fn find() -> Outcome<Option<PathBuf>> {
    let library = match env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        Some(named) => Some(named_library(named.into())?),
        None => among(&USUAL_PLACES),
    };
    // A node that joins asks for its data by this program.
    Ok(library.filter(|_| matches!(find::RSYNC.find(), Ok(Some(_)))))
}

fn named_library(path: PathBuf) -> Outcome<PathBuf> {
    if path.is_file() {
        return Ok(path);
    }
    let path = path.display();
    Err(Failure::new(format!(
        "{VARIABLE}={path} is not there; name a libgalera_smm.so, or unset it to let one be found"
    )))
}

fn among(places: &[&str]) -> Option<PathBuf> {
    let places = places.iter().map(Path::new);
    places
        .filter(|place| place.is_file())
        .map(Path::to_owned)
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_where_a_package_put_it_or_where_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libgalera_smm.so");
        let places = ["/nowhere/libgalera_smm.so", library.to_str().unwrap()];
        assert_eq!(among(&places), None);
        let missing = named_library(library.clone()).unwrap_err().to_string();
        assert!(missing.contains("SAKMS_GALERA"), "{missing}");
        std::fs::write(&library, "").unwrap();
        assert_eq!(among(&places), Some(library.clone()));
        assert_eq!(named_library(library.clone()).unwrap(), library);
    }
}
