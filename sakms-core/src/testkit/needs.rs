//! What a test needs from outside, and what happens when it is not there.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

/// The value of the environment variable that names what a test needs, or `None` after saying what is skipped.
///
/// It is said once in a process, on the real stderr: test harnesses swallow what a test that passes prints, and a skip that
/// nobody sees looks like a success.
///
/// # Panics
/// When `SAKMS_TEST_REQUIRE` lists `what`: where it is required, a skip is a failure.
#[must_use]
pub fn needed(what: &str, variable: &str) -> Option<String> {
    if let Ok(value) = std::env::var(variable) {
        return Some(value);
    }
    skipped(what, &format!("{variable} is not set"));
    None
}

/// Says what is skipped and why, for a test that has looked for itself.
///
/// It is said as [`needed`] says it.
///
/// # Panics
/// As [`needed`].
pub fn skipped(what: &str, why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let required = std::env::var("SAKMS_TEST_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|name| name.trim() == what);
    assert!(!required, "SAKMS_TEST_REQUIRE asks for {what}, and {why}");
    let first = SAID
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(what.to_owned());
    if first {
        let program = program();
        let line =
            format!("SKIPPED in {program}: what needs {what}; {why} (see CONTRIBUTING.md)\n");
        // Where even stderr is closed, there is nobody to tell.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

/// The test file's name; cargo puts a digest behind it.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    name.rsplit_once('-')
        .map_or(name.as_ref(), |(name, _)| name)
        .to_owned()
}
