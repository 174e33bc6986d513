//! Exchanging keys for tokens.

use crate::http::answer;
use crate::http::call::{Call, Reply};
use crate::http::dto::Exchanged;
use crate::http::form::Form;
use crate::http::problem::Problem;
use crate::key::ScopeSet;
use crate::secret::PresentedKey;
use crate::service::{Circumstances, TokenExchange};
use crate::verdict::Verdict;

/// RFC 8693, section 2.1.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// RFC 8693, section 3. An access token of ours is a JWT.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

pub(in crate::http) async fn exchange(call: Call) -> Result<Reply, Problem> {
    let form = call.form()?;
    if needed(&form, "grant_type")? != TOKEN_EXCHANGE {
        return Err(Problem::unsupported_grant_type());
    }
    let key = needed(&form, "subject_token")?;
    if needed(&form, "subject_token_type")? != TokenExchange::API_KEY_TYPE {
        return Err(Problem::invalid_request(format!(
            "The only subject_token_type here is {}.",
            TokenExchange::API_KEY_TYPE
        )));
    }
    let audience = needed(&form, "audience")?;
    if form.get("resource").is_some() {
        let detail = "A resource cannot be named here: name an audience.";
        return Err(Problem::invalid_target(detail));
    }
    if form.get("actor_token").is_some() || form.get("actor_token_type").is_some() {
        let detail = "Nobody acts for somebody else here: leave actor_token out.";
        return Err(Problem::invalid_request(detail));
    }
    let requested = form.get("requested_token_type");
    if requested.is_some_and(|kind| kind != Exchanged::ACCESS_TOKEN && kind != JWT) {
        return Err(Problem::invalid_request(format!(
            "The only requested_token_type here is {}.",
            Exchanged::ACCESS_TOKEN
        )));
    }
    let (key, circumstances) = (
        PresentedKey::new(key.to_owned()),
        Circumstances {
            address: call.address,
            ..Circumstances::default()
        },
    );
    let exchanged = call
        .sakms
        .exchange_key(&key, audience, scopes(&form)?, &circumstances);
    match exchanged.await? {
        Verdict::Granted(made) => {
            let mut reply = Reply::ok(&Exchanged::from(&made));
            for (name, value) in answer::fields(made.key.standing())
                .iter()
                .flat_map(|all| &**all)
            {
                reply = reply.with(name.clone(), value.clone());
            }
            Ok(reply)
        }
        Verdict::Denied(denial) => Err(Problem::not_exchanged(&denial)),
    }
}

fn needed<'a>(form: &'a Form, name: &str) -> Result<&'a str, Problem> {
    let missing = || Problem::invalid_request(format!("The form has no parameter `{name}`."));
    form.get(name).ok_or_else(missing)
}

/// What is asked for; nothing, when no scope is named.
fn scopes(form: &Form) -> Result<Option<ScopeSet>, Problem> {
    let Some(text) = form.get("scope") else {
        return Ok(None);
    };
    let scopes: ScopeSet = text
        .parse()
        .map_err(|_| Problem::invalid_scope("The parameter `scope` is not a list of scopes."))?;
    Ok(Some(scopes).filter(|scopes| !scopes.is_empty()))
}
