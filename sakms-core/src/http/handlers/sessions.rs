//! Sessions: refreshing, signing out, and which there are.

use crate::http::call::{Call, Reply};
use crate::http::dto::{RefreshSession, SessionShown, SignedIn, Status};
use crate::http::problem::Problem;
use crate::verdict::Verdict;

const ENDED: Status = Status { status: "ended" };

pub(in crate::http) async fn refresh(call: Call) -> Result<Reply, Problem> {
    let body: RefreshSession = call.json()?;
    let origin = call.origin();
    let refresh = call.sakms.refresh(&body.refresh_token, &origin);
    match refresh.await? {
        Verdict::Granted(signed_in) => Ok(Reply::ok(&SignedIn::from(&signed_in))),
        Verdict::Denied(denial) => Err(Problem::refresh_denied(denial)),
    }
}

pub(in crate::http) async fn logout(call: Call) -> Result<Reply, Problem> {
    call.sakms.logout(call.caller()?).await?;
    Ok(Reply::ok(&ENDED))
}

pub(in crate::http) async fn logout_all(call: Call) -> Result<Reply, Problem> {
    call.sakms.logout_all(call.caller()?).await?;
    Ok(Reply::ok(&ENDED))
}

pub(in crate::http) async fn list(call: Call) -> Result<Reply, Problem> {
    let sessions = call.sakms.sessions(call.caller()?).await?;
    let shown: Vec<_> = sessions.iter().map(SessionShown::from).collect();
    Ok(Reply::ok(&shown))
}

pub(in crate::http) async fn end(call: Call) -> Result<Reply, Problem> {
    call.sakms.end_session(call.caller()?, call.id()?).await?;
    Ok(Reply::ok(&ENDED))
}
