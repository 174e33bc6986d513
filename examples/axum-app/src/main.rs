//! An axum application with users of its own, which gives them API keys with SAKMS.
//!
//! The seam is here and in `app.rs`; what the application has without SAKMS is in the package `host`.

mod app;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use host::Settings;
use sakms_core::service::Sakms;
use sakms_core::store::SqliteStore;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

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
    let router = app::router(&host::Users::new(pool)?, &sakms)?;

    let stop = host::stop_signal()?;
    let listener = TcpListener::bind(settings.listen).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    serve(listener, router, stop).await?;

    // Uses of keys are counted in memory and written now and then: what is left, now.
    sakms.flush().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Serves until `stop`, then lets the requests in flight end, for ten seconds at most.
async fn serve(
    listener: TcpListener,
    router: axum::Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    // With the addresses of those who connect, for keys that may be used from some addresses only.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async {
        stop.await;
        let _ = stopping.send(());
    });
    let patience = async {
        let _ = stopped.await;
        tokio::time::sleep(Duration::from_secs(10)).await;
    };
    tokio::select! {
        ended = server => ended,
        () = patience => Ok(()),
    }
}
