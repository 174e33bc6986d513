//! Roles.

use crate::http::call::{Call, Reply};
use crate::http::dto::{RoleShown, SetRole, Status};
use crate::http::problem::Problem;
use crate::service::FieldError;

pub(in crate::http) async fn list(call: Call) -> Result<Reply, Problem> {
    let roles = call.sakms.roles().await?;
    Ok(Reply::ok(
        &roles.iter().map(RoleShown::from).collect::<Vec<_>>(),
    ))
}

pub(in crate::http) async fn set(call: Call) -> Result<Reply, Problem> {
    let name = call.id.as_deref().unwrap_or_default().parse();
    let invalid = |error| Problem::invalid(vec![FieldError::new("name", error)]);
    let name = name.map_err(invalid)?;
    let body: SetRole = call.json()?;
    let role = call
        .sakms
        .set_role(call.caller()?, name, body.scopes)
        .await?;
    Ok(Reply::ok(&RoleShown::from(&role)))
}

pub(in crate::http) async fn remove(call: Call) -> Result<Reply, Problem> {
    call.sakms.remove_role(call.caller()?, &call.id()?).await?;
    Ok(Reply::ok(&Status { status: "removed" }))
}
