//! Registering, signing in, and changing a password.

use crate::http::call::{Call, Reply};
use crate::http::dto::{ChangePassword, Registered, SignIn, SignedIn, Status};
use crate::http::problem::Problem;
use crate::verdict::Verdict;

pub(in crate::http) async fn register(call: Call) -> Result<Reply, Problem> {
    let body: SignIn = call.json()?;
    if call.sakms.confirms_addresses() {
        let (email, password) = (&body.email, &body.password);
        let asked = call
            .sakms
            .request_registration(email, password, call.address);
        asked.await?;
        return Ok(Reply::accepted());
    }
    let registered = call
        .sakms
        .register_from(&body.email, &body.password, call.address);
    let user_id = registered.await?;
    Ok(Reply::created(&Registered { user_id }))
}

pub(in crate::http) async fn login(call: Call) -> Result<Reply, Problem> {
    let body: SignIn = call.json()?;
    let origin = call.origin();
    let login = call.sakms.login_from(&body.email, &body.password, &origin);
    match login.await? {
        Verdict::Granted(signed_in) => Ok(Reply::ok(&SignedIn::from(&signed_in))),
        Verdict::Denied(denial) => Err(Problem::login_denied(denial)),
    }
}

pub(in crate::http) async fn change_password(call: Call) -> Result<Reply, Problem> {
    let body: ChangePassword = call.json()?;
    let caller = call.caller()?;
    let (old, new, origin) = (&body.old_password, &body.new_password, call.origin());
    let change = call.sakms.change_password(caller, old, new, &origin);
    match change.await? {
        Verdict::Granted(()) => Ok(Reply::ok(&Status { status: "changed" })),
        Verdict::Denied(denial) => Err(Problem::login_denied(denial)),
    }
}
