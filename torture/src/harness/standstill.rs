//! When the machine itself stood still: a virtual one gets its processors from a host, which may take them away for some
//! milliseconds at any time. What is measured then says nothing of a server.
//!
//! On each processor a thread of real-time priority, which nothing but the host keeps waiting, sleeps for a millisecond again
//! and again. When it wakes up late, its processor was not there.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SLEEP: Duration = Duration::from_millis(1);
/// Waking up takes some time everywhere. What is later by more than this is a standstill.
const LATE: Duration = Duration::from_micros(300);

/// Threads that watch.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Option<Vec<Standstill>>>>,
}

/// From when to when a processor may have been away.
#[derive(Debug, Clone, Copy)]
struct Standstill {
    begin: Instant,
    end: Instant,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Standstills {
    /// In the order of their beginnings.
    all: Vec<Standstill>,
    /// The longest of them.
    longest: Duration,
}

impl Watch {
    /// Begins to watch every processor.
    #[must_use]
    pub fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let watch = |processor| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || watch(processor, &stop))
        };
        let threads = (0..count).map(watch).collect();
        Self { stop, threads }
    }

    /// Ends it. `None` where the system lets nobody watch.
    #[must_use]
    pub fn stop(self) -> Option<Standstills> {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.threads.into_iter().map(|thread| thread.join().ok()?);
        let seen: Option<Vec<_>> = seen.collect();
        Some(Standstills::new(seen?.concat()))
    }
}

impl Standstills {
    fn new(mut all: Vec<Standstill>) -> Self {
        all.sort_by_key(|still| still.begin);
        let longest = all.iter().map(|still| still.end - still.begin).max();
        Self {
            all,
            longest: longest.unwrap_or_default(),
        }
    }

    /// Whether a processor may have been away between these two moments.
    #[must_use]
    pub fn touch(&self, begin: Instant, end: Instant) -> bool {
        let before = self.all.partition_point(|still| still.begin <= end);
        let near = self.all[..before].iter().rev();
        near.take_while(|still| still.begin + self.longest >= begin)
            .any(|still| still.end >= begin)
    }
}

/// `None` where this thread may have neither the priority nor the processor.
fn watch(processor: usize, stop: &AtomicBool) -> Option<Vec<Standstill>> {
    let this = std::fs::read_link("/proc/thread-self").ok()?;
    let this = Path::new(this.file_name()?).to_str()?;
    set("chrt", &["--fifo", "--pid", "50", this])?;
    let processor = processor.to_string();
    set("taskset", &["--cpu-list", "--pid", &processor, this])?;
    let mut seen = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let begin = Instant::now();
        std::thread::sleep(SLEEP);
        let end = Instant::now();
        // What was kept waiting before that is due is not done before the end either.
        let due = begin + SLEEP;
        if end > due + LATE {
            seen.push(Standstill { begin: due, end });
        }
    }
    Some(seen)
}

/// Both commands are of util-linux.
fn set(command: &str, arguments: &[&str]) -> Option<()> {
    let mut command = Command::new(command);
    command.args(arguments).stdin(Stdio::null());
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.ok()?.success().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_a_standstill_is_touched_by_it() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let still = |(begin, end)| Standstill {
            begin: at(begin),
            end: at(end),
        };
        // A long one on one processor, with short ones on the other.
        let seen = [(60, 62), (10, 50), (20, 22), (30, 31)].map(still).to_vec();
        let seen = Standstills::new(seen);
        for (begin, end) in [(0, 10), (11, 12), (40, 41), (50, 55), (0, 100), (61, 61)] {
            assert!(seen.touch(at(begin), at(end)), "{begin} {end}");
        }
        for (begin, end) in [(0, 9), (51, 59), (63, 100)] {
            assert!(!seen.touch(at(begin), at(end)), "{begin} {end}");
        }
        assert!(!Standstills::default().touch(at(0), at(100)));
    }
}
