//! How fast SAKMS is, measured: what the benches in `benches/` share.
//!
//! `cargo bench -p sakms-benches` runs them and needs nothing installed; `cargo xtask bench` runs them with a private
//! MariaDB and writes `docs/performance.md`. Two rules hold for every figure:
//!
//! - A claim that compares two things measures both in turns in one run ([`timing::in_turns`]), so that a machine that
//!   is busy for a while is busy for both.
//! - A figure that has a goal is told with the goal, met or not ([`figure`]).
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench reports on standard output, and ends by panicking when what it measures does not work"
)]

pub mod app;
pub mod auc;
pub mod figure;
pub mod load;
pub mod process;
pub mod run;
pub mod synthetic;
pub mod tables;
pub mod timing;
pub mod world;
