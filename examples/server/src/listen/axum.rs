//! axum on hyper, which `axum::serve` gives no time-outs to.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

use super::workers::{Accepted, Workers};
use super::{announce, drain, last_call, stop_signal};
use crate::config::HttpSettings;
use crate::error::Failure;

/// The most bytes of request line and headers.
const HEADER_BYTES: usize = 16 * 1024;

/// A place among the connections that are served.
type Place = Option<OwnedSemaphorePermit>;

/// Serves until ctrl-c or SIGTERM, then lets the requests in flight end. A second signal ends it at once.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &HttpSettings,
) -> Result<(), Failure> {
    let mut stop = std::pin::pin!(last_call(stop_signal()?));
    let server = server(settings);
    let connections = GracefulShutdown::new();
    let unread = settings.header_timeout;
    let mut workers = Workers::start(move |accepted: Accepted<(Place, Watcher)>| {
        let Accepted {
            stream,
            peer,
            place: (place, watcher),
        } = accepted;
        let inner = TowerToHyperService::new(router.clone());
        // As axum does itself: for keys that may be used from some addresses only.
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            inner.call(request)
        });
        let stream = TokioIo::new(Box::pin(limit_unread(stream, unread)));
        let connection = server.serve_connection(stream, service);
        let connection = watcher.watch(connection);
        async move {
            // How a connection ends is the client's business; what matters was logged per request.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        }
    })?;
    announce(&listener, "axum")?;
    let places = Arc::new(Semaphore::new(
        usize::try_from(settings.max_connections).unwrap_or(usize::MAX),
    ));
    let again = loop {
        tokio::select! {
            again = &mut stop => break again?,
            accepted = accept(&listener, &places) => {
                // Watched from here on, so that an end that begins meanwhile waits for it.
                workers.give(accepted.with(connections.watcher()));
            }
        }
    };
    drop(listener);
    let drained = drain(connections.shutdown(), settings.shutdown_timeout, again).await;
    workers.end().await;
    drained
}

/// HTTP/1.1 alone: what tells the versions apart waits for a silent client without a time-out, and whoever wants HTTP/2
/// has a proxy in front that speaks TLS.
fn server(settings: &HttpSettings) -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(HEADER_BYTES);
    server
}

/// A client that reads nothing of its answer loses its connection. The system's own time-out, which hyper leaves it at, ends it
/// a few seconds late when there are many.
fn limit_unread(stream: TcpStream, time: Duration) -> TimeoutStream<TcpStream> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(time));
    stream
}

/// The next connection, and its place among those that are served. Waits for a place before it takes the connection,
/// so that what cannot be served stays in the system's queue.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Accepted<Place> {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                return Accepted {
                    stream,
                    peer,
                    place,
                };
            }
            // The client was gone before it was greeted.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
                ) => {}
            // Out of file descriptors, mostly: connections that end will free some.
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted at the moment");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
