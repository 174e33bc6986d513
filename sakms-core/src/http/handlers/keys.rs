//! Managing keys.

use http::header::{HeaderValue, LINK};

use super::filters::Filters;
use crate::http::call::{Call, Reply};
use crate::http::dto::{ChangeKey, CreateKey, Key, ShownKey};
use crate::http::problem::Problem;
use crate::key::KeyRecord;
use crate::service::{CreatedKey, Cursor, FieldError, ListRequest, Once};

pub(in crate::http) async fn create(call: Call) -> Result<Reply, Problem> {
    let body: CreateKey = call.json_or_default()?;
    let (caller, new) = (call.caller()?, body.into());
    match call.idempotency_key()? {
        None => Ok(created(&call.sakms.create_key(caller, new).await?)),
        Some(key) => Ok(once(&call.sakms.create_key_once(caller, new, &key).await?)),
    }
}

/// A key with its text.
pub(super) fn created(created: &CreatedKey) -> Reply {
    Reply::created(&Key::from(created))
}

/// The same, or the key without its text for a request that was repeated.
pub(super) fn once(outcome: &Once) -> Reply {
    match outcome {
        Once::Made(made) => created(made),
        Once::Replayed(key) => {
            let key: &KeyRecord = key;
            Reply::ok(&Key::from(key)).replayed()
        }
    }
}

pub(in crate::http) async fn list(call: Call) -> Result<Reply, Problem> {
    let filters = Filters::of(&call)?;
    let mut request = ListRequest::default();
    request.selection.clone_from(&filters.selection);
    if let Some(limit) = call.parameter("limit")? {
        let number = limit
            .parse()
            .map_err(|_| FieldError::new("limit", "must be a whole number between 1 and 100"));
        request.limit = Some(number.map_err(|error| Problem::invalid(vec![error]))?);
    }
    request.cursor = call
        .parameter("cursor")?
        .map(|text| Cursor::new(text.into_owned()));
    let limit = request
        .limit
        .map(|limit| format!("limit={limit}&"))
        .unwrap_or_default();
    let list = call.sakms.list_keys(call.caller()?, request).await?;
    let reply = Reply::ok(&list.keys.iter().map(Key::from).collect::<Vec<_>>());
    let Some(next) = list.next else {
        return Ok(reply);
    };
    // A reference that keeps the path (RFC 3986, section 5): right under any prefix and behind any proxy.
    let link = format!(
        r#"<?{limit}{}cursor={}>; rel="next""#,
        filters.repeated,
        next.as_str()
    );
    Ok(match HeaderValue::try_from(link) {
        Ok(link) => reply.with(LINK, link),
        Err(_) => reply,
    })
}

pub(in crate::http) async fn get(call: Call) -> Result<Reply, Problem> {
    let shown = call
        .sakms
        .get_key_with_secrets(call.caller()?, call.key_id()?)
        .await?;
    Ok(Reply::ok(&ShownKey::from(&shown)))
}

pub(in crate::http) async fn update(call: Call) -> Result<Reply, Problem> {
    let id = call.key_id()?;
    let body: ChangeKey = call.json()?;
    let key = call
        .sakms
        .update_key(call.caller()?, id, body.into())
        .await?;
    Ok(Reply::ok(&Key::from(&key)))
}
