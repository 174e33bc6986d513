//! actix-web on its own workers, one for each core.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::web::ServiceConfig;
use tokio::net::TcpListener;

use super::{announce, drain, last_call, stop_signal};
use crate::app;
use crate::config::HttpSettings;
use crate::error::Failure;

/// How much longer than this server its framework would wait for requests in flight: who waits shall know what for.
const LATER: Duration = Duration::from_secs(5);

/// Serves until ctrl-c or SIGTERM, then lets the requests in flight end. A second signal ends it at once.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    settings: &HttpSettings,
) -> Result<(), Failure> {
    let failed = |error| Failure::new("actix-web", &error);
    let stop = last_call(stop_signal()?);
    announce(&listener, "actix")?;
    let (workers, connections) = places(settings.max_connections);
    let server = HttpServer::new(move || app::actix::app(routes.clone()))
        .workers(workers)
        .max_connections(connections)
        .client_request_timeout(settings.header_timeout)
        // hyper counts the wait for the next request of a connection with the wait for its headers.
        .keep_alive(settings.header_timeout)
        .shutdown_timeout((settings.shutdown_timeout + LATER).as_secs())
        .tcp_nodelay(true)
        .disable_signals()
        .listen(listener.into_std().map_err(failed)?)
        .map_err(failed)?
        .run();
    let handle = server.handle();
    let mut server = std::pin::pin!(server);
    let again = tokio::select! {
        again = stop => again?,
        ended = &mut server => return ended.map_err(failed),
    };
    // The command is sent at once; its future would tell when it was obeyed, which the server's own end does.
    drop(handle.stop(true));
    let ended = async { drop(server.await) };
    // Giving up on the server drops it, which breaks off what is left.
    drain(ended, settings.shutdown_timeout, again).await
}

/// How many workers, and how many connections each may hold: together never more than `most`.
fn places(most: u32) -> (usize, usize) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let workers = available_parallelism().map_or(1, NonZero::get).min(most);
    (workers, most / workers)
}
