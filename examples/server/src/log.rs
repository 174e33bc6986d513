//! The log: structured lines on stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

use crate::config::{LogFormat, LogSettings};
use crate::error::Failure;

/// Starts the log.
pub(crate) fn start(settings: &LogSettings) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter(&settings.filter));
    let filter = filter.map_err(|error| Failure::new("--log is not a filter", &error))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
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
    Ok(())
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
