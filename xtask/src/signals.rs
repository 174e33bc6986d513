//! Requests to stop. A signal only leaves a note; whoever waits for a child
//! looks for it, returns early, and lets `Drop` clean up on the way out.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::{Attempt, Failure, Outcome};

#[cfg(unix)]
const WATCHED: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const WATCHED: [i32; 2] = [SIGINT, SIGTERM];

static RECEIVED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Begins to take note of signals instead of dying of them.
pub(crate) fn watch() -> Outcome {
    let received = RECEIVED.get_or_init(Arc::default);
    for signal in WATCHED {
        let number = usize::try_from(signal).unwrap_or_default();
        signal_hook::flag::register_usize(signal, Arc::clone(received), number)
            .attempt(|| format!("cannot watch for signal {signal}"))?;
    }
    Ok(())
}

/// Fails if somebody asked for an end.
pub(crate) fn check() -> Outcome {
    let number = RECEIVED
        .get()
        .map_or(0, |received| received.load(Ordering::Relaxed));
    match u8::try_from(number) {
        Ok(0) => Ok(()),
        Ok(signal) => Err(Failure::Interrupted(signal)),
        Err(_) => Err(Failure::Interrupted(u8::MAX)),
    }
}
