//! Rotating keys.

use std::time::Duration;

use super::keys::{created, once};
use crate::http::call::{Call, Reply};
use crate::http::dto::{Key, Rotate};
use crate::http::problem::Problem;

pub(in crate::http) async fn rotate(call: Call) -> Result<Reply, Problem> {
    let id = call.key_id()?;
    let body: Rotate = call.json_or_default()?;
    let overlap = body.overlap_seconds.map(Duration::from_secs);
    let (sakms, caller) = (&call.sakms, call.caller()?);
    match call.idempotency_key()? {
        None => Ok(created(&sakms.rotate_key(caller, id, overlap).await?)),
        Some(key) => Ok(once(
            &sakms.rotate_key_once(caller, id, overlap, &key).await?,
        )),
    }
}

pub(in crate::http) async fn finish(call: Call) -> Result<Reply, Problem> {
    let key = call
        .sakms
        .finish_rotation(call.caller()?, call.key_id()?)
        .await?;
    Ok(Reply::ok(&Key::from(&key)))
}

pub(in crate::http) async fn cancel(call: Call) -> Result<Reply, Problem> {
    let key = call
        .sakms
        .cancel_rotation(call.caller()?, call.key_id()?)
        .await?;
    Ok(Reply::ok(&Key::from(&key)))
}
