//! Registering and signing in.

use crate::http::call::{Call, Reply};
use crate::http::dto::{Registered, SignIn, SignedIn};
use crate::http::problem::Problem;
use crate::verdict::Verdict;

pub(in crate::http) async fn register(call: Call) -> Result<Reply, Problem> {
    let body: SignIn = call.json()?;
    let user_id = call.sakms.register(&body.email, &body.password).await?;
    Ok(Reply::created(&Registered { user_id }))
}

pub(in crate::http) async fn login(call: Call) -> Result<Reply, Problem> {
    let body: SignIn = call.json()?;
    match call.sakms.login(&body.email, &body.password).await? {
        Verdict::Granted(token) => Ok(Reply::ok(&SignedIn::from(&token))),
        Verdict::Denied(denial) => Err(Problem::login_denied(denial)),
    }
}
