//! What the system says of a process: Linux alone tells it so.

use std::fs;

use sakms_core::testkit::skipped;

/// How much a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Resident memory, in KiB.
    pub kibibytes: u64,
    /// Open file descriptors, sockets among them.
    pub descriptors: u64,
}

/// What this process holds; `None`, after saying so, where the system does not tell.
#[must_use]
pub fn holding(process: u32) -> Option<Holding> {
    let Some(holding) = read(process) else {
        skipped("proc", "/proc does not tell what a process holds");
        return None;
    };
    Some(holding)
}

fn read(process: u32) -> Option<Holding> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).ok()?.count();
    Some(Holding {
        kibibytes,
        descriptors: descriptors.try_into().ok()?,
    })
}
