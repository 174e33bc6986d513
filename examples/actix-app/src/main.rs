//! An actix-web application with users of its own, which gives them API keys with SAKMS.
//!
//! The seam is here and in `app.rs`; what the application has without SAKMS is in the package `host`.

mod app;

use std::error::Error;
use std::process::ExitCode;

use actix_web::HttpServer;
use host::Settings;
use sakms_core::service::Sakms;
use sakms_core::store::SqliteStore;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::of_process();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    match run(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "cannot go on");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let master_keys = settings.master_keys()?;

    // One pool and one database for both. The application's tables come first; SAKMS's are named `sakms_…`, keep a list of
    // steps of their own and refer to none of the application's, so any order will do.
    let pool = host::open(&settings.database).await?;
    host::migrate(&pool).await?;
    let store = SqliteStore::from_pool(pool.clone());
    store.migrate().await?;

    let sakms = Sakms::builder(store, master_keys)
        .key_prefix("acme")?
        .build()?;
    // One for all workers: they share its hashing threads and what it remembers.
    let parts = app::Parts::new(host::Users::new(pool)?, &sakms)?;

    let stop = host::stop_signal()?;
    let server = HttpServer::new(move || app::app(parts.clone()))
        .disable_signals()
        .shutdown_timeout(10)
        .bind(settings.listen)?;
    for address in server.addrs() {
        tracing::info!("listening on http://{address}");
    }
    serve(server.run(), stop).await?;

    // Uses of keys are counted in memory and written now and then: what is left, now.
    sakms.flush().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Serves until `stop`, then lets the requests in flight end, for ten seconds at most.
async fn serve(
    server: actix_web::dev::Server,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let handle = server.handle();
    tokio::spawn(async move {
        stop.await;
        handle.stop(true).await;
    });
    server.await
}
