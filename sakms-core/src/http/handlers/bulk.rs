//! Revoking many keys.

use crate::http::call::{Call, Reply};
use crate::http::dto::{BulkRevocation, RevokeKeys};
use crate::http::problem::Problem;

pub(in crate::http) async fn revoke(call: Call) -> Result<Reply, Problem> {
    let body: RevokeKeys = call.json()?;
    let (selection, dry_run) = (body.selection()?, body.dry_run);
    let revoked = call
        .sakms
        .revoke_keys(call.caller()?, &selection, dry_run)
        .await?;
    Ok(Reply::ok(&BulkRevocation::new(&revoked, dry_run)))
}
