//! Fuzz targets: what a stranger, or a broken database, may hand to SAKMS, and what must hold whatever that is.
//!
//! A target takes bytes and panics when a rule is broken. `cargo xtask fuzz` builds each as a program of its own with libFuzzer
//! and has it look for bytes that reach new code; `tests/replay.rs` runs every input that was kept in an ordinary build.
//! What is right is decided here anew, by other code than SAKMS has, wherever that is short enough to be trusted.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a target reports by panicking, as a test does"
)]

mod draw;
pub mod targets;
mod world;

pub use draw::Draw;

/// Runs a target on some bytes.
pub type Run = fn(&[u8]);

macro_rules! targets {
    ($($name:ident)*) => {
        /// Every target by its name.
        pub const TARGETS: &[(&str, Run)] = &[$((stringify!($name), targets::$name::run)),*];
    };
}

targets! { key_text token stored_hash stored_row cursor credentials email body requirement forwarded }

/// The program of one target: under `cargo xtask fuzz` libFuzzer's, in any other build one that says how to run it.
#[macro_export]
macro_rules! fuzz {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| sakms_fuzz::targets::$name::run(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::without_fuzzer(stringify!($name))
        }
    };
}

/// What a program says that was built without libFuzzer.
#[must_use]
#[expect(clippy::print_stderr, reason = "it is for whoever started the program")]
pub fn without_fuzzer(target: &str) -> std::process::ExitCode {
    eprintln!("this build has no fuzzer in it; run `cargo xtask fuzz {target}`");
    std::process::ExitCode::FAILURE
}
