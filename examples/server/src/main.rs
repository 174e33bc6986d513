//! The bundled server: the library with a `main`.
//!
//! Everything that a host would write for itself is in [`app`], once for axum and once for actix-web; the rest is
//! settings, logs and shutdown.

mod account;
mod app;
mod audit;
mod config;
mod database;
mod error;
mod keyring;
mod keys;
mod listen;
mod log;
mod mail;
mod metrics;
mod reap;
mod tokens;
mod trace;

use std::process::ExitCode;

use clap::Parser as _;
use config::{Command, Framework, KeysCommand, Settings};
use error::Failure;

fn main() -> ExitCode {
    let settings = Settings::parse();
    match run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<(), Failure> {
    let _log = log::start(&settings.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| Failure::new("the runtime could not be started", &error))?;
    runtime.block_on(async {
        match settings.command.as_ref().unwrap_or(&Command::Serve) {
            Command::Serve => serve(settings).await,
            Command::Account { command } => account::run(settings, command).await,
            Command::Audit { command } => audit::run(settings, command).await,
            Command::Keyring { command } => keyring::run(settings, *command).await,
            Command::Migrate => database::migrate(&settings.database).await,
            Command::Keys {
                command:
                    KeysCommand::Reap {
                        unused_for,
                        dry_run,
                    },
            } => reap::once(settings, *unused_for, *dry_run).await,
        }
    })
}

async fn serve(settings: &Settings) -> Result<(), Failure> {
    let rules = app::Rules::of(settings)?;
    let recorder = metrics::start(settings.http.metrics, settings.listen)?;
    // The port first: a server that cannot listen shall leave no database or keys behind.
    let listener = listen::bind(settings.listen, settings.http.header_timeout).await?;
    let keys = keys::resolve(settings)?;
    let database = database::open(&settings.database).await?;
    let (master, issuer) = tokens::Issuer::open(settings, &database, keys).await?;
    let sakms = app::sakms(settings, rules, database, master, issuer)?;
    let api = app::api(settings, &sakms);
    if let Some(days) = settings.keys.reap_unused_after {
        tokio::spawn(reap::hourly(sakms.clone(), days));
    }
    if let Some(recorder) = recorder.clone() {
        tokio::spawn(metrics::sum_up(recorder));
    }
    let metrics = recorder.map(|recorder| metrics::Metrics::new(recorder, &sakms));
    let wrong_scope = |error| Failure::new("a demo route's scope", &error);
    match settings.framework {
        Framework::Axum => {
            let router = app::axum::router(api, metrics).map_err(wrong_scope)?;
            listen::axum::serve(listener, router, &settings.http).await?;
        }
        Framework::Actix => {
            let routes = app::actix::routes(api, metrics).map_err(wrong_scope)?;
            listen::actix::serve(listener, routes, &settings.http).await?;
        }
    }
    sakms
        .flush()
        .await
        .map_err(|error| Failure::new("the last use counts could not be stored", &error))?;
    tracing::info!("stopped");
    Ok(())
}
