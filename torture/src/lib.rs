//! What SAKMS stands, as programs: each scenario starts the bundled server, makes trouble, and compares what the server says with
//! what it may say. `cargo xtask torture` runs them at length; the tests of this package run each in small.
//!
//! - [`harness`]: the server and MariaDB as processes, clients, what is written down of a run.
//! - [`run`]: the settings of one run, its randomness, its progress.
//! - [`figure`]: what a run found.
//! - [`scenarios`]: the list of them; each has a module of its own.

#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a scenario reports by panicking and printing, and waits by the clock"
)]

pub mod figure;
pub mod harness;
pub mod run;
pub mod scenarios;
