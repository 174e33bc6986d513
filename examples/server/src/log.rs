//! The log: structured lines on stderr, written by a thread of its own.
//!
//! Whoever answers requests does not wait for whoever reads the log: neither for their turn to write, nor, when nobody reads any
//! more, for ever.

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

use crate::config::{LogFormat, LogSettings};
use crate::error::Failure;

/// How many lines wait to be written at most. What comes then is left out, and counted.
const LINES: usize = 16_384;

/// The log while it is open. What waits is written when this is dropped.
#[must_use]
pub(crate) struct Log {
    left_out: ErrorCounter,
    writer: Option<WorkerGuard>,
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.writer.take());
        let lines = self.left_out.dropped_lines();
        if lines > 0 {
            say_left_out(lines);
        }
    }
}

#[expect(clippy::print_stderr, reason = "the log is closed already")]
fn say_left_out(lines: usize) {
    eprintln!(
        "{lines} lines of the log were left out: they came faster than they could be written"
    );
}

/// Starts the log.
pub(crate) fn start(settings: &LogSettings) -> Result<Log, Failure> {
    let filter = EnvFilter::try_new(filter(&settings.filter));
    let filter = filter.map_err(|error| Failure::new("--log is not a filter", &error))?;
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES)
        .thread_name("sakms-log")
        .finish(std::io::stderr());
    let left_out = writer.error_counter();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_timer(SystemTime);
    match settings.format {
        LogFormat::Text => {
            use std::io::IsTerminal as _;
            log.with_ansi(std::io::stderr().is_terminal()).init();
        }
        LogFormat::Json => log
            .json()
            .with_current_span(true)
            .with_span_list(false)
            .init(),
    }
    let writer = Some(guard);
    Ok(Log { left_out, writer })
}

/// What is to be logged. actix-http logs each request that it cannot read as an error of its own, so that any stranger can
/// fill the log; whoever wants to see them names it.
fn filter(asked: &str) -> String {
    if asked.contains("actix_http") {
        asked.to_owned()
    } else {
        format!("{asked},actix_http=off")
    }
}
