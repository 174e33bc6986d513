//! Registering and signing in.

use crate::http::call::{Call, Reply};
use crate::http::dto::{Registered, SignIn, SignedIn};
use crate::http::problem::Problem;
use crate::verdict::Verdict;

pub(in crate::http) async fn register(call: Call) -> Result<Reply, Problem> {
    let body: SignIn = call.json()?;
    let registered = call
        .sakms
        .register_from(&body.email, &body.password, call.address);
    let user_id = registered.await?;
    Ok(Reply::created(&Registered { user_id }))
}

pub(in crate::http) async fn login(call: Call) -> Result<Reply, Problem> {
    let body: SignIn = call.json()?;
    let signed_in = call
        .sakms
        .login_from(&body.email, &body.password, call.address);
    match signed_in.await? {
        Verdict::Granted(token) => Ok(Reply::ok(&SignedIn::from(&token))),
        Verdict::Denied(denial) => Err(Problem::login_denied(denial)),
    }
}
