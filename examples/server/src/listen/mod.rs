//! Accepting connections, with limits on what a slow or a silent client can hold, and an orderly end.

pub(crate) mod actix;
pub(crate) mod axum;
mod workers;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;

use crate::error::Failure;

/// How long connections are served on after a signal, each answer being the last of its connection. A framework that ends closes
/// connections that look idle to it, also one on which a request has arrived that it has not read yet.
const LAST_CALL: Duration = Duration::from_millis(250);

static STOPPING: AtomicBool = AtomicBool::new(false);

/// Whether an answer has to say that it is the last of its connection.
pub(crate) fn is_stopping() -> bool {
    STOPPING.load(Ordering::Relaxed)
}

/// Takes the port. A client that reads nothing of its answer for as long as `unread` loses its connection.
pub(crate) async fn bind(address: SocketAddr, unread: Duration) -> Result<TcpListener, Failure> {
    let failed = |error| Failure::new(&format!("cannot listen on {address}"), &error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    limit_unread(&listener, unread).map_err(failed)?;
    Ok(listener)
}

/// Neither framework has a time-out for writing, but Linux does (`TCP_USER_TIMEOUT`, RFC 5482): it ends a connection whose
/// other side takes nothing for so long. What is accepted inherits it from the listener.
#[cfg(target_os = "linux")]
fn limit_unread(listener: &TcpListener, unread: Duration) -> std::io::Result<()> {
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(unread))
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Linux")]
fn limit_unread(_: &TcpListener, _: Duration) -> std::io::Result<()> {
    Ok(())
}

/// Says where clients find the server, and that it is ready for them.
fn announce(listener: &TcpListener, framework: &str) -> Result<(), Failure> {
    let address = listener.local_addr();
    let address = address.map_err(|error| Failure::new("the listening address", &error))?;
    tracing::info!(%address, framework, "listening on http://{address}");
    Ok(())
}

/// Waits for a signal and then, while connections are served on, for the last call to end. Gives what waits for a second signal.
async fn last_call(signal: impl Future<Output = ()>) -> Result<impl Future<Output = ()>, Failure> {
    signal.await;
    // From here on, so that none is missed that comes during the last call.
    let again = stop_signal()?;
    STOPPING.store(true, Ordering::Relaxed);
    tokio::time::sleep(LAST_CALL).await;
    Ok(again)
}

/// Waits for the requests in flight, which `ended` is the end of, as long as `limit`. A second signal ends it at once.
async fn drain(
    ended: impl Future<Output = ()>,
    limit: Duration,
    again: impl Future<Output = ()>,
) -> Result<(), Failure> {
    tracing::info!("stopping: no new connections, letting requests in flight end");
    tokio::select! {
        () = ended => Ok(()),
        () = tokio::time::sleep(limit) => {
            tracing::warn!(seconds = limit.as_secs(), "some requests did not end in time and are broken off");
            Ok(())
        }
        () = again => Err(Failure::plain("stopped at once by a second signal; requests in flight were broken off")),
    }
}

/// The next ctrl-c or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen =
        |kind| signal(kind).map_err(|error| Failure::new("signals cannot be listened to", &error));
    let (mut terminate, mut interrupt) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
