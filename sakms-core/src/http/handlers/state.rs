//! Switching keys off and on, and revoking them.

use crate::http::call::{Call, Reply};
use crate::http::dto::Status;
use crate::http::problem::Problem;

pub(in crate::http) async fn disable(call: Call) -> Result<Reply, Problem> {
    call.sakms
        .disable_key(call.caller()?, call.key_id()?)
        .await?;
    Ok(Reply::ok(&Status { status: "disabled" }))
}

pub(in crate::http) async fn enable(call: Call) -> Result<Reply, Problem> {
    call.sakms
        .enable_key(call.caller()?, call.key_id()?)
        .await?;
    Ok(Reply::ok(&Status { status: "enabled" }))
}

pub(in crate::http) async fn revoke(call: Call) -> Result<Reply, Problem> {
    call.sakms
        .revoke_key(call.caller()?, call.key_id()?)
        .await?;
    Ok(Reply::ok(&Status { status: "revoked" }))
}

pub(in crate::http) async fn revoke_current(call: Call) -> Result<Reply, Problem> {
    call.sakms.revoke_current_key(call.caller()?).await?;
    Ok(Reply::ok(&Status { status: "revoked" }))
}
