//! What the system knows of a process. Linux has it in `/proc`; elsewhere nothing is known.

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

/// What a process holds; `None`, after saying so, where the system does not tell.
#[must_use]
pub fn holding(id: u32) -> Option<Holding> {
    let (Some(kibibytes), Some(descriptors)) = (resident(id), descriptors(id)) else {
        skipped("proc", "/proc does not tell what a process holds");
        return None;
    };
    Some(Holding {
        kibibytes,
        descriptors,
    })
}

/// How many descriptors it has open, sockets among them.
#[must_use]
pub fn descriptors(id: u32) -> Option<u64> {
    let folder = format!("/proc/{id}/fd");
    match fs::metadata(&folder).ok()?.len() {
        // Linux before 6.2 does not say. To look at thousands of them fifty times a second disturbs whoever else is measured.
        0 => fs::read_dir(folder).ok()?.count().try_into().ok(),
        count => Some(count),
    }
}

/// Its resident memory, in KiB.
#[must_use]
pub fn resident(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_what_it_has_opened() {
        let this = std::process::id();
        assert!(resident(this).unwrap() > 100);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(descriptors(this).unwrap() >= 4);
        drop(listener);
    }
}
