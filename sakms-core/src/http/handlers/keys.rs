//! Managing one's own keys.

use http::header::{HeaderValue, LINK};

use crate::http::call::{Call, Reply};
use crate::http::dto::{ChangeKey, CreateKey, Key, Status};
use crate::http::problem::Problem;
use crate::service::{Cursor, FieldError, ListRequest};

pub(in crate::http) async fn create(call: Call) -> Result<Reply, Problem> {
    let body: CreateKey = call.json_or_default()?;
    let created = call.sakms.create_key(call.caller()?, body.into()).await?;
    Ok(Reply::created(&Key::from(&created)))
}

pub(in crate::http) async fn list(call: Call) -> Result<Reply, Problem> {
    let mut request = ListRequest::default();
    if let Some(limit) = call.parameter("limit")? {
        let number = limit
            .parse()
            .map_err(|_| FieldError::new("limit", "must be a whole number between 1 and 100"));
        request.limit = Some(number.map_err(|error| Problem::invalid(vec![error]))?);
    }
    request.cursor = call
        .parameter("cursor")?
        .map(|text| Cursor::new(text.into_owned()));
    let list = call
        .sakms
        .list_keys(call.caller()?, request.clone())
        .await?;
    let reply = Reply::ok(&list.keys.iter().map(Key::from).collect::<Vec<_>>());
    let Some(next) = list.next else {
        return Ok(reply);
    };
    // A reference that keeps the path (RFC 3986, section 5): right under any prefix and behind any proxy.
    let limit = request
        .limit
        .map(|limit| format!("limit={limit}&"))
        .unwrap_or_default();
    let link = format!(r#"<?{limit}cursor={}>; rel="next""#, next.as_str());
    Ok(match HeaderValue::try_from(link) {
        Ok(link) => reply.with(LINK, link),
        Err(_) => reply,
    })
}

pub(in crate::http) async fn get(call: Call) -> Result<Reply, Problem> {
    let key = call.sakms.get_key(call.caller()?, call.id()?).await?;
    Ok(Reply::ok(&Key::from(&key)))
}

pub(in crate::http) async fn update(call: Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let body: ChangeKey = call.json()?;
    let key = call
        .sakms
        .update_key(call.caller()?, id, body.into())
        .await?;
    Ok(Reply::ok(&Key::from(&key)))
}

pub(in crate::http) async fn revoke(call: Call) -> Result<Reply, Problem> {
    call.sakms.revoke_key(call.caller()?, call.id()?).await?;
    Ok(Reply::ok(&Status { status: "revoked" }))
}
