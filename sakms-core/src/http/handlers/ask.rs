//! Asking about keys from elsewhere, and the two routes of OAuth.

use http::StatusCode;

use crate::http::call::{Call, Reply};
use crate::http::dto::{Introspection, Verification, VerifyKey, VerifyKeys, question};
use crate::http::form::Form;
use crate::http::problem::Problem;
use crate::secret::{BearerToken, PresentedKey};
use crate::verdict::Verdict;

pub(in crate::http) async fn verify(call: Call) -> Result<Reply, Problem> {
    let (key, question) = call.json::<VerifyKey>()?.taken();
    let found = call.sakms.ask(&key, &question).await?;
    Ok(Reply::ok(&Verification::from(&found)))
}

pub(in crate::http) async fn verify_each(call: Call) -> Result<Reply, Problem> {
    let (keys, question) = call.json::<VerifyKeys>()?.taken();
    let found = call.sakms.ask_each(keys, &question).await?;
    let answers: Vec<_> = found.iter().map(Verification::from).collect();
    Ok(Reply::ok(&answers))
}

/// RFC 7662.
pub(in crate::http) async fn introspect(call: Call) -> Result<Reply, Problem> {
    let form = call.form()?;
    let token = token(&form)?.to_owned();
    if is_jwt(&token) {
        let claims = call.sakms.ask_token(&BearerToken::new(token)).await?;
        let said = claims.as_ref().map(Introspection::from);
        return Ok(Reply::ok(&said.unwrap_or_default()));
    }
    let environment = read(&form, "environment")?;
    let question = question(None, environment, read(&form, "address")?, None);
    let key = PresentedKey::new(token);
    Ok(match call.sakms.ask(&key, &question).await? {
        Verdict::Granted(key) => Reply::ok(&Introspection::from(&key)),
        Verdict::Denied(_) => Reply::ok(&Introspection::default()),
    })
}

/// RFC 7009: whoever presents a key may put an end to it. What is no key, or none any more, is as good as revoked.
pub(in crate::http) async fn revoke(call: Call) -> Result<Reply, Problem> {
    let form = call.form()?;
    let token = token(&form)?.to_owned();
    if is_jwt(&token) {
        return Err(Problem::unsupported_token_type());
    }
    let key = PresentedKey::new(token);
    call.sakms.revoke_presented_key(&key).await?;
    Ok(Reply::text(StatusCode::OK, "application/json", "{}"))
}

/// A token has dots, a key has none.
fn is_jwt(token: &str) -> bool {
    token.contains('.')
}

fn token(form: &Form) -> Result<&str, Problem> {
    let missing = || Problem::invalid_request("The form has no parameter `token`.");
    form.get("token").ok_or_else(missing)
}

fn read<T: std::str::FromStr>(form: &Form, name: &'static str) -> Result<Option<T>, Problem> {
    let wrong =
        |_| Problem::invalid_request(format!("The parameter `{name}` is not of the right form."));
    form.get(name).map(str::parse).transpose().map_err(wrong)
}
