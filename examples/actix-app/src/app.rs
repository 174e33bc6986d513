//! The application's routes, and the seam: where SAKMS is mounted, who calls it, and which routes need a key.

use std::fmt;

use actix_web::body::MessageBody;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::web::{self, Data, Json, ReqData};
use actix_web::{App, HttpMessage as _, HttpRequest, HttpResponse, ResponseError};
use host::{COOKIE, Credentials, Error, UserId, Users};
use sakms_actix::{Authenticated, RequireKey};
use sakms_core::http::{Api, Group};
use sakms_core::service::{Caller, Sakms};
use serde_json::{Value, json};

/// What the workers share. A clone is cheap.
#[derive(Clone)]
pub(crate) struct Parts {
    users: Data<Users>,
    api: Api,
    document: Data<Value>,
    reader: RequireKey,
}

impl Parts {
    pub(crate) fn new(users: Users, sakms: &Sakms) -> Result<Self, Box<dyn std::error::Error>> {
        // Of SAKMS's routes only those for keys: people sign in with the application, as they always did.
        let api = Api::from(sakms.clone())
            .groups([Group::Keys])
            .caller_scheme("session");
        let mut document = host::openapi();
        document.merge(api.openapi_under("/account"));
        Ok(Self {
            users: Data::new(users),
            api,
            document: Data::new(serde_json::to_value(document)?),
            reader: RequireKey::new(sakms).scope("reports:read")?,
        })
    }
}

/// Everything together, for one worker.
pub(crate) fn app(
    parts: Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    // Below /account whoever has a session is known, to the application's routes and to SAKMS's alike.
    let account = web::scope("/account")
        .service(web::resource("").get(account))
        .service(web::resource("/signout").post(sign_out))
        .configure(sakms_actix::configure(parts.api))
        .wrap(from_fn(session));
    // What programs call, with a key that may do so.
    let reports = web::resource("/api/reports")
        .get(reports)
        .wrap(parts.reader);

    App::new()
        .service(web::resource("/signup").post(sign_up))
        .service(web::resource("/signin").post(sign_in))
        .service(web::resource("/openapi.json").get(openapi))
        .service(account)
        .service(reports)
        // What is not there is answered as SAKMS does it. Without these two actix's own answers stay.
        .default_service(web::to(sakms_actix::not_found))
        .wrap(from_fn(sakms_actix::method_not_allowed))
        // A layer of the application's own, around everything.
        .wrap(DefaultHeaders::new().add((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        )))
        .app_data(web::JsonConfig::default().error_handler(|_, _| Refused(Error::NotJson).into()))
        .app_data(parts.users)
        .app_data(parts.document)
}

/// Tells SAKMS who calls. Who has no session goes on without a [`Caller`]: SAKMS lets them in by a key that holds
/// `keys:read` or `keys:write`, and answers 401 to anyone else.
async fn session(
    users: Data<Users>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let caller = match caller(&users, request.request()).await {
        Ok(caller) => caller,
        Err(refused) => {
            // As an answer, because the layers around do not see an error.
            let answer = request.into_response(refused.error_response());
            return Ok(answer.map_into_right_body());
        }
    };
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Whoever has a session, by the name under which they own keys: any text of the application's own.
async fn caller(users: &Users, request: &HttpRequest) -> Result<Option<Caller>, Refused> {
    let Some(token) = request.cookie(COOKIE) else {
        return Ok(None);
    };
    // A browser sends the cookie along, whoever made it send the request.
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if !request.method().is_safe() && host::from_elsewhere(header) {
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
    users: Data<Users>,
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

async fn openapi(document: Data<Value>) -> Json<Data<Value>> {
    Json(document)
}

async fn sign_up(users: Data<Users>, new: Json<Credentials>) -> Result<HttpResponse, Refused> {
    let user = users.sign_up(&new).await?.to_string();
    Ok(HttpResponse::Created().json(json!({"user": user})))
}

async fn sign_in(users: Data<Users>, given: Json<Credentials>) -> Result<HttpResponse, Refused> {
    let (user, token) = users.sign_in(&given).await?;
    let user = user.to_string();
    Ok(HttpResponse::Ok()
        .cookie(cookie(token))
        .json(json!({"user": user})))
}

async fn account(caller: Option<ReqData<Caller>>) -> Result<Json<Value>, Refused> {
    let caller = caller.ok_or(Error::SignedOut)?;
    Ok(Json(json!({"user": caller.owner_name()})))
}

async fn sign_out(users: Data<Users>, request: HttpRequest) -> Result<HttpResponse, Refused> {
    if let Some(token) = request.cookie(COOKIE) {
        users.sign_out(token.value()).await?;
    }
    let mut cookie = cookie(String::new());
    cookie.make_removal();
    Ok(HttpResponse::NoContent().cookie(cookie).finish())
}

/// No script reads it, no other site has it sent, and it goes over TLS alone, or to localhost.
fn cookie(token: String) -> Cookie<'static> {
    Cookie::build(COOKIE, token)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish()
}

/// An error of the application, as actix answers it.
#[derive(Debug)]
struct Refused(Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Refused {
    fn error_response(&self) -> HttpResponse {
        let (status, body) = self.0.answer();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        HttpResponse::build(status).json(body)
    }
}
