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

fn descriptors(id: u32) -> Option<u64> {
    let open = fs::read_dir(format!("/proc/{id}/fd")).ok()?;
    open.count().try_into().ok()
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

/// How many sockets it has open.
#[must_use]
pub fn sockets(id: u32) -> Option<usize> {
    let open = fs::read_dir(format!("/proc/{id}/fd")).ok()?;
    let links = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    Some(
        links
            .filter(|link| link.to_string_lossy().starts_with("socket:"))
            .count(),
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_a_socket_more_when_it_listens() {
        let this = std::process::id();
        assert!(resident(this).unwrap() > 100);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(sockets(this).unwrap() >= 1);
        drop(listener);
    }
}
