//! The application's routes, and the seam: where SAKMS is mounted, who calls it, and which routes need a key.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use host::{COOKIE, Credentials, Error, UserId, Users};
use sakms_axum::{Authenticated, RequireKey};
use sakms_core::http::{Api, Group};
use sakms_core::key::InvalidScope;
use sakms_core::service::{Caller, Sakms};
use serde_json::{Value, json};

/// Everything together.
pub(crate) fn router(users: &Users, sakms: &Sakms) -> Result<Router, InvalidScope> {
    // Of SAKMS's routes only those for keys: people sign in with the application, as they always did.
    let api = Api::from(sakms.clone())
        .groups([Group::Keys])
        .caller_scheme("session");
    let mut document = host::openapi();
    document.merge(api.openapi_under("/account"));

    // Below /account whoever has a session is known, to the application's routes and to SAKMS's alike.
    let account = Router::new()
        .route("/", get(account))
        .route("/signout", post(sign_out))
        .merge(sakms_axum::router(api))
        .layer(from_fn_with_state(users.clone(), session));
    // What programs call, with a key that may do so.
    let reports = Router::new()
        .route("/api/reports", get(reports))
        .route_layer(RequireKey::new(sakms).scope("reports:read")?);

    Ok(Router::new()
        .route("/signup", post(sign_up))
        .route("/signin", post(sign_in))
        .route("/openapi.json", get(async move || Json(document)))
        .nest("/account", account)
        .merge(reports)
        // What is not there is answered as SAKMS does it. Without these two axum's own answers stay.
        .fallback(sakms_axum::not_found)
        .method_not_allowed_fallback(sakms_axum::method_not_allowed)
        // A layer of the application's own, around everything.
        .layer(map_response(harden))
        .with_state(users.clone()))
}

/// Tells SAKMS who calls. Who has no session goes on without a [`Caller`]: SAKMS lets them in by a key that holds
/// `keys:read` or `keys:write`, and answers 401 to anyone else.
async fn session(
    State(users): State<Users>,
    cookies: CookieJar,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    if let Some(caller) = caller(&users, &cookies, request.method(), request.headers()).await? {
        request.extensions_mut().insert(caller);
    }
    Ok(next.run(request).await)
}

/// Whoever has a session, by the name under which they own keys: any text of the application's own.
async fn caller(
    users: &Users,
    cookies: &CookieJar,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Refused> {
    let Some(token) = cookies.get(COOKIE) else {
        return Ok(None);
    };
    // A browser sends the cookie along, whoever made it send the request.
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !method.is_safe() && host::from_elsewhere(header) {
        return Err(Refused(Error::Elsewhere));
    }
    let Some(user) = users.of_session(token.value()).await? else {
        return Ok(None);
    };
    Ok(Some(Caller::owner(user.to_string().parse()?)))
}

/// What a guarded handler learns of the key: whose it is, which one, what it may do, and what its owner noted on it.
async fn reports(
    Authenticated(key): Authenticated,
    State(users): State<Users>,
) -> Result<Json<Value>, Refused> {
    let user: UserId = key.owner().as_str().parse()?;
    Ok(Json(json!({
        "reports_of": users.name(user).await?,
        "key": key.key_id(),
        "scopes": key.scopes(),
        "metadata": key.metadata(),
    })))
}

// From here on it is the application alone.

type Body = Result<Json<Credentials>, JsonRejection>;

async fn sign_up(State(users): State<Users>, body: Body) -> Result<impl IntoResponse, Refused> {
    let Json(new) = body.map_err(|_| Error::NotJson)?;
    let user = users.sign_up(&new).await?.to_string();
    Ok((StatusCode::CREATED, Json(json!({"user": user}))))
}

async fn sign_in(
    State(users): State<Users>,
    cookies: CookieJar,
    body: Body,
) -> Result<impl IntoResponse, Refused> {
    let Json(given) = body.map_err(|_| Error::NotJson)?;
    let (user, token) = users.sign_in(&given).await?;
    let user = user.to_string();
    Ok((cookies.add(cookie(token)), Json(json!({"user": user}))))
}

async fn account(caller: Option<Extension<Caller>>) -> Result<Json<Value>, Refused> {
    let Extension(caller) = caller.ok_or(Error::SignedOut)?;
    Ok(Json(json!({"user": caller.owner_name()})))
}

async fn sign_out(
    State(users): State<Users>,
    cookies: CookieJar,
) -> Result<impl IntoResponse, Refused> {
    if let Some(token) = cookies.get(COOKIE) {
        users.sign_out(token.value()).await?;
    }
    let cookies = cookies.remove(cookie(String::new()));
    Ok((StatusCode::NO_CONTENT, cookies))
}

/// No script reads it, no other site has it sent, and it goes over TLS alone, or to localhost.
fn cookie(token: String) -> Cookie<'static> {
    Cookie::build((COOKIE, token))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .build()
}

async fn harden(mut response: Response) -> Response {
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    response
}

/// An error of the application, as axum answers it.
struct Refused(Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, body) = self.0.answer();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }
}
