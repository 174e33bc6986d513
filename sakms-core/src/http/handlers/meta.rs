//! Whether the service lives and can work.

use crate::http::call::{Call, Reply};
use crate::http::dto::{Health, Status};
use crate::http::problem::Problem;

/// Says that the process answers, without touching the database: restarting it would not mend a database.
pub(in crate::http) async fn health(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::ok(&Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        journal: call.sakms.journal_status().into(),
    }))
}

/// Says whether requests can be served now.
pub(in crate::http) async fn ready(call: Call) -> Result<Reply, Problem> {
    call.sakms.ready().await?;
    Ok(Reply::ok(&Status { status: "ready" }))
}
