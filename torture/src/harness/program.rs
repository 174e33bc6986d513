//! Where the bundled server is.

use std::path::PathBuf;

/// Names a program to use instead of the one beside this.
const VARIABLE: &str = "SAKMS_TORTURE_SERVER";

/// The server that was built beside this program: in the same folder, or in the one above for a test.
#[must_use]
pub fn server() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return named.into();
    }
    let this = std::env::current_exe().unwrap();
    let name = format!("sakms-server{}", std::env::consts::EXE_SUFFIX);
    let places = this
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&name));
    let found = places.into_iter().find(|place| place.is_file());
    found.unwrap_or_else(|| {
        panic!("no sakms-server is built: `cargo build -p sakms-server` first, or name one in {VARIABLE}")
    })
}
