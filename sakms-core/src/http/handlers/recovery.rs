//! Resetting a password, and confirming an address.

use crate::http::call::{Call, Reply};
use crate::http::dto::{ConfirmAddress, Registered, RequestReset, ResetPassword, Status};
use crate::http::problem::Problem;
use crate::verdict::Verdict;

pub(in crate::http) async fn request_reset(call: Call) -> Result<Reply, Problem> {
    let body: RequestReset = call.json()?;
    call.sakms.request_reset(&body.email, call.address).await?;
    Ok(Reply::accepted())
}

pub(in crate::http) async fn reset(call: Call) -> Result<Reply, Problem> {
    let body: ResetPassword = call.json()?;
    let (code, new) = (&body.code, &body.new_password);
    let reset = call.sakms.reset_password(code, new, call.address);
    match reset.await? {
        Verdict::Granted(()) => Ok(Reply::ok(&Status { status: "changed" })),
        Verdict::Denied(denial) => Err(Problem::code_denied(denial)),
    }
}

pub(in crate::http) async fn confirm(call: Call) -> Result<Reply, Problem> {
    let body: ConfirmAddress = call.json()?;
    let confirmed = call.sakms.confirm_registration(&body.code, call.address);
    match confirmed.await? {
        Verdict::Granted(user_id) => Ok(Reply::created(&Registered { user_id })),
        Verdict::Denied(denial) => Err(Problem::code_denied(denial)),
    }
}
