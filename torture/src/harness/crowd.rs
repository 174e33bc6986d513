//! Many clients at once: connections that stay open, driven by one thread, which does as little as can be done.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::figure::Figure;
use crate::harness::standstill::Watch;

/// After so long without an answer a request has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a crowd saw.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often each status was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests that got no answer: refused or broken connections, too long a silence.
    pub broken: u64,
    /// Answers 429 and 503 without a `Retry-After`.
    pub without_retry_after: u64,
    times: Vec<Time>,
}

/// When a question was asked, and how long the answer took.
#[derive(Debug, Clone, Copy)]
struct Time {
    begun: Instant,
    took: Duration,
    /// Whether the machine stood still meanwhile.
    disturbed: bool,
}

impl Tally {
    /// How many answers had this status.
    #[must_use]
    pub fn of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// How many answers had none of these, and requests that had no answer.
    #[must_use]
    pub fn other_than(&self, expected: &[u16]) -> u64 {
        let other = self
            .statuses
            .iter()
            .filter(|(status, _)| !expected.contains(status));
        other.map(|(_, count)| count).sum::<u64>() + self.broken
    }

    /// How many answers there were.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// The time within which 99 of 100 answers came; of those alone, if so wanted, during which the machine did not stand still.
    fn p99(&self, undisturbed: bool) -> Duration {
        let counted = self.times.iter();
        let counted = counted.filter(|time| !(undisturbed && time.disturbed));
        let mut times: Vec<_> = counted.map(|time| time.took).collect();
        times.sort_unstable();
        let place = (times.len() * 99 / 100).min(times.len().saturating_sub(1));
        times.get(place).copied().unwrap_or_default()
    }

    /// Of how many in a hundred answers the machine stood still meanwhile.
    fn disturbed(&self) -> usize {
        let count = self.times.iter().filter(|time| time.disturbed).count();
        count * 100 / self.times.len().max(1)
    }

    /// The times of this crowd beside those of another, which asked the same without a load.
    #[must_use]
    pub fn compared(&self, alone: &Self) -> Compared {
        let disturbed = [self, alone].map(Self::disturbed);
        let undisturbed = disturbed.iter().all(|share| *share <= 50);
        Compared {
            with: self.p99(undisturbed),
            without: alone.p99(undisturbed),
            disturbed,
        }
    }

    /// What another crowd saw as well.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.broken += other.broken;
        self.without_retry_after += other.without_retry_after;
        self.times.extend(other.times);
    }
}

/// Times within which 99 of 100 answers came, with and without a load. Answers during which the machine stood still do not
/// count, unless those are most of them.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// With the load.
    pub with: Duration,
    /// Without.
    pub without: Duration,
    disturbed: [usize; 2],
}

impl Compared {
    /// Whether it takes at most twice as long with the load.
    fn is_within_twice(&self) -> bool {
        self.with <= self.without * 2
    }

    /// What is told of it; that it is at most twice as long is a goal where times have goals.
    #[must_use]
    pub fn figure(self, what: String, timed: bool) -> Figure {
        if timed {
            Figure::goal(what, self, "at most twice", self.is_within_twice())
        } else {
            Figure::plain(what, self)
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            with,
            without,
            disturbed: [during, before],
        } = self;
        write!(f, "{with:.1?} (without: {without:.1?}")?;
        match (during.max(before), during + before) {
            (_, 0) => {}
            (..=50, _) => write!(f, "; {during} % and {before} % left out")?,
            _ => write!(f, "; all counted: {during} % and {before} % disturbed")?,
        }
        f.write_str(")")
    }
}

/// The bytes of a request that leaves the connection open.
#[must_use]
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if !body.is_empty() {
        let length = body.len().to_string();
        text.extend([
            "Content-Type: application/json\r\nContent-Length: ",
            &length,
            "\r\n",
        ]);
    }
    text.extend(["\r\n", body]);
    text.into_bytes()
}

/// A check of a key.
#[must_use]
pub fn check(key: &str) -> Vec<u8> {
    request("GET", "/demo/protected", &[("X-API-Key", key)], "")
}

/// Clients at work.
#[derive(Debug)]
pub struct Crowd {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Tally>,
    /// Where it is how long answers take that matters.
    watch: Option<Watch>,
}

impl Crowd {
    /// Lets `people` ask, each at most once in `pace`, until they are stopped or `next` gives no more requests. `next` is
    /// told how many requests there were before, of all together.
    #[must_use]
    pub fn start(
        address: SocketAddr,
        people: u32,
        pace: Duration,
        next: impl Fn(u64) -> Option<Vec<u8>> + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let all = async {
                let (requests, count) = (Rc::new(next), Rc::new(Cell::new(0)));
                let mut crowd = JoinSet::new();
                for number in 0..people {
                    let (stopped, next, count) =
                        (Arc::clone(&flag), Rc::clone(&requests), Rc::clone(&count));
                    crowd.spawn_local(async move {
                        tokio::time::sleep(pace * number / people).await;
                        let next = || {
                            let before = count.replace(count.get() + 1);
                            (!stopped.load(Ordering::Relaxed))
                                .then(|| next(before))
                                .flatten()
                        };
                        ask(address, pace, next).await
                    });
                }
                let mut sum = Tally::default();
                while let Some(one) = crowd.join_next().await {
                    sum.add(one.unwrap());
                }
                sum
            };
            LocalSet::new().block_on(&runtime, all)
        });
        Self {
            stop,
            thread,
            watch: None,
        }
    }

    /// Clients that check these keys one after the other. Their times count while the machine does not stand still.
    #[must_use]
    pub fn checking(address: SocketAddr, people: u32, pace: Duration, keys: &[String]) -> Self {
        let texts: Vec<_> = keys.iter().map(|key| check(key)).collect();
        let next = move |number| {
            let which = usize::try_from(number).unwrap_or(0) % texts.len();
            Some(texts[which].clone())
        };
        let crowd = Self::start(address, people, pace, next);
        Self {
            watch: Some(Watch::start()),
            ..crowd
        }
    }

    /// Whether all have done what they were to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until `next` gave no more.
    #[must_use]
    pub fn done(self) -> Tally {
        let mut tally = self.thread.join().unwrap();
        if let Some(seen) = self.watch.and_then(Watch::stop) {
            for time in &mut tally.times {
                time.disturbed = seen.touch(time.begun, time.begun + time.took);
            }
        }
        tally
    }

    /// Lets what is under way end, and no more.
    #[must_use]
    pub fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        self.done()
    }

    /// Waits so long, and ends it.
    #[must_use]
    pub fn stop_after(self, time: Duration) -> Tally {
        std::thread::sleep(time);
        self.stop()
    }
}

async fn ask(address: SocketAddr, pace: Duration, next: impl Fn() -> Option<Vec<u8>>) -> Tally {
    let (mut tally, mut stream) = (Tally::default(), None);
    let mut due = Instant::now();
    while let Some(request) = next() {
        let begun = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, once(address, &mut stream, &request)).await;
        if let Ok(Ok((status, retry_after))) = answer {
            tally.times.push(Time {
                begun,
                took: begun.elapsed(),
                disturbed: false,
            });
            *tally.statuses.entry(status).or_default() += 1;
            tally.without_retry_after += u64::from([429, 503].contains(&status) && !retry_after);
        } else {
            tally.broken += 1;
            stream = None;
        }
        if !pace.is_zero() {
            due = (due + pace).max(Instant::now());
            tokio::time::sleep_until(due.into()).await;
        }
    }
    tally
}

/// The status of an answer, and whether it says when to come again.
async fn once(
    address: SocketAddr,
    stream: &mut Option<TcpStream>,
    request: &[u8],
) -> std::io::Result<(u16, bool)> {
    // What the server has closed between two requests is opened again: it may do so at any time.
    let mut again = stream.is_some();
    loop {
        let open = if let Some(open) = stream.take() {
            open
        } else {
            let open = TcpStream::connect(address).await?;
            open.set_nodelay(true)?;
            open
        };
        match exchange(open, request).await {
            Ok((answer, kept)) => {
                *stream = kept;
                return Ok(answer);
            }
            Err(_) if again => again = false,
            Err(error) => return Err(error),
        }
    }
}

async fn exchange(
    mut stream: TcpStream,
    request: &[u8],
) -> std::io::Result<((u16, bool), Option<TcpStream>)> {
    // A server that refuses a long body answers before it has read it, and may close then.
    let sent = stream.write_all(request).await;
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut part).await?;
        if length == 0 {
            return Err(sent
                .err()
                .unwrap_or_else(|| ErrorKind::UnexpectedEof.into()));
        }
        bytes.extend_from_slice(&part[..length]);
        let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let header = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        };
        let length: usize = header("content-length")
            .and_then(|length| length.trim().parse().ok())
            .unwrap_or(0);
        if bytes.len() < end + 4 + length {
            continue;
        }
        let status = head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
        let closes =
            sent.is_err() || header("connection").is_some_and(|value| value.contains("close"));
        return Ok((
            (status, header("retry-after").is_some()),
            (!closes).then_some(stream),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(times: impl IntoIterator<Item = u64>, disturbed: bool) -> Tally {
        let begun = Instant::now();
        let time = |micros| Time {
            begun,
            took: Duration::from_micros(micros),
            disturbed,
        };
        Tally {
            times: times.into_iter().map(time).collect(),
            ..Tally::default()
        }
    }

    #[test]
    fn p99_is_what_99_of_100_are_within() {
        let seen = tally((1..=1000).rev(), false);
        assert_eq!(seen.p99(true), Duration::from_micros(991));
        assert_eq!(Tally::default().p99(true), Duration::ZERO);
    }

    #[test]
    fn what_the_machine_disturbed_does_not_count_unless_it_is_most() {
        let alone = tally(1..=100, false);
        let slow = tally(101..=203, false).compared(&alone);
        assert!(!slow.is_within_twice());
        assert_eq!(slow.to_string(), "202.0µs (without: 100.0µs)");
        let seldom = tally(1..=100, false).and(tally([9_000; 100], true));
        let compared = seldom.compared(&alone);
        assert!(compared.is_within_twice());
        let told = "100.0µs (without: 100.0µs; 50 % and 0 % left out)";
        assert_eq!(compared.to_string(), told);
        let mostly = tally(1..=100, false).and(tally([9_000; 110], true));
        let compared = mostly.compared(&alone);
        assert!(!compared.is_within_twice() && mostly.compared(&mostly).is_within_twice());
        let told = "9.0ms (without: 100.0µs; all counted: 52 % and 0 % disturbed)";
        assert_eq!(compared.to_string(), told);
    }

    #[test]
    fn what_was_not_expected_is_counted() {
        let statuses = BTreeMap::from([(200, 5), (401, 2), (503, 1)]);
        let tally = Tally {
            statuses,
            broken: 1,
            ..Tally::default()
        };
        assert_eq!(tally.other_than(&[200, 503]), 3);
        assert_eq!(tally.answers(), 8);
    }
}
