//! What the operating system says of this process. Only Linux is asked; elsewhere nothing is known.

use std::fs;

/// Memory that is really there, in bytes.
#[must_use]
pub fn resident() -> Option<f64> {
    status("VmRSS:")
}

/// The most memory that was there at once since [`forget_peak`], in bytes.
#[must_use]
pub fn peak() -> Option<f64> {
    status("VmHWM:")
}

/// Begins a new record of the most memory.
pub fn forget_peak() {
    // Where it is not allowed the old record stands, and the figure is an upper bound.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The time that threads whose names begin so have spent computing, in nanoseconds.
#[must_use]
pub fn computing_time(name: &str) -> Option<u64> {
    let mut total = None;
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let read = |file| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").starts_with(name) {
            let spent: u64 = read("schedstat").split(' ').next()?.parse().ok()?;
            total = Some(total.unwrap_or(0) + spent);
        }
    }
    total
}

fn status(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024.0)
}
