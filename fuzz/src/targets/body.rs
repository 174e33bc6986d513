//! Requests for every route: whatever is sent, the answer is one that the service gives on purpose. No 5xx, errors as
//! `application/problem+json` (RFC 9457), and never a word of a password.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{HeaderValue, Request};
use sakms_core::clock::ManualClock;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::http::{Api, QueryToken, Response, Route, routes};
use sakms_core::key::Environment;
use sakms_core::secret::Password;
use sakms_core::service::{Caller, NewKey, Sakms, TokenExchange};
use sakms_core::store::MemoryStore;
use sakms_core::testkit::entropy::SeededEntropy;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};
use serde_json::Value;

use crate::draw::Draw;
use crate::world;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "violet tram kettle oak";
/// How many requests a service gets before there is a new one: what they left behind must not be what is measured.
const REQUESTS: u32 = 1_000;

struct Service {
    api: Api,
    clock: Arc<ManualClock>,
    key_id: String,
    key: String,
    token: String,
    served: u32,
}

thread_local! {
    static SERVICE: RefCell<OnceCell<Service>> = const { RefCell::new(OnceCell::new()) };
}

impl Service {
    fn start() -> Self {
        world::wait(async {
            let (store, clock) = (MemoryStore::new(), world::clock());
            let entropy = Arc::new(SeededEntropy::new("fuzz"));
            let secret = HmacSecret::from_bytes(&world::MASTER[1]).unwrap();
            let issuer = JwtIssuer::builder(Keyring::hs256(secret))
                .audience("fuzz")
                .clock(Arc::clone(&clock) as _)
                .entropy(Arc::clone(&entropy) as _);
            let hashing = HashPoolConfig::default()
                .params(Argon2Params::insecure_fast())
                .key_threads(1)
                .password_threads(1);
            let exchange =
                TokenExchange::new().audience("https://reports.example".parse().unwrap());
            let sakms = Sakms::builder(store.clone(), world::master_keys())
                .key_prefix("acme")
                .unwrap()
                .accounts(store.clone())
                .sessions(store)
                .token_issuer(issuer.build().unwrap())
                .token_exchange(exchange)
                .hashing(hashing)
                .clock(Arc::clone(&clock) as _)
                .entropy(entropy)
                .build()
                .unwrap();
            let password = Password::new(PASSWORD.to_owned());
            sakms.register(EMAIL, &password).await.unwrap();
            let signed_in = sakms
                .login(EMAIL, &password)
                .await
                .unwrap()
                .into_result()
                .unwrap();
            let token = signed_in.token().expose().to_owned();
            let ada = sakms
                .authenticate(signed_in.token())
                .await
                .unwrap()
                .into_result()
                .unwrap();
            let mut new = NewKey::named("first".parse().unwrap());
            new.scopes = "*".parse().unwrap();
            new.environment = Some(Environment::live());
            let made = sakms.create_key(&ada, new).await.unwrap();
            Self {
                api: Api::from(sakms).query_token(QueryToken::Allow),
                clock,
                key_id: made.key.id.to_string(),
                key: made.text.expose().to_owned(),
                token,
                served: 0,
            }
        })
    }

    /// `None` where the bytes are no request that a server would hand on.
    fn request(&self, route: &'static Route, draw: &mut Draw<'_>) -> Option<Request<Bytes>> {
        let (who, how) = (draw.below(6), draw.byte());
        let id = match draw.below(4) {
            0 => String::from_utf8_lossy(draw.short()).into_owned(),
            1 => "reader".to_owned(),
            2 => "current".to_owned(),
            _ => self.key_id.clone(),
        };
        let path = route
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { &*id } else { part });
        let mut target = path.collect::<Vec<_>>().join("/");
        if how & 1 == 1 {
            target = format!("{target}?{}", String::from_utf8_lossy(draw.short()));
        }
        let mut request = Request::builder().method(route.method.clone()).uri(target);
        let owner = || "ada".parse().unwrap();
        request = match who {
            0 => request.header(AUTHORIZATION, format!("Bearer {}", self.token)),
            1 => request.header("x-api-key", &self.key),
            2 => request.extension(Caller::owner(owner())),
            3 => request.extension(Caller::admin(owner())),
            4 => request.header(AUTHORIZATION, HeaderValue::from_bytes(draw.short()).ok()?),
            _ => request,
        };
        if how & 2 == 2 {
            request = request.header(
                "idempotency-key",
                HeaderValue::from_bytes(draw.short()).ok()?,
            );
        }
        if how & 4 == 4 {
            request = request.header(IF_MATCH, HeaderValue::from_bytes(draw.short()).ok()?);
        }
        let form = route.path.starts_with("/oauth/");
        let kind = match how >> 3 & 7 {
            0 => HeaderValue::from_bytes(draw.short()).ok()?,
            1 => HeaderValue::from_static("application/json; charset=utf-8"),
            _ if form => HeaderValue::from_static("application/x-www-form-urlencoded"),
            _ => HeaderValue::from_static("application/json"),
        };
        request
            .header(CONTENT_TYPE, kind)
            .body(Bytes::copy_from_slice(draw.rest()))
            .ok()
    }
}

/// Runs the target.
pub fn run(data: &[u8]) {
    SERVICE.with_borrow_mut(|kept| {
        if kept.get().is_some_and(|service| service.served >= REQUESTS) {
            kept.take();
        }
        kept.get_or_init(Service::start);
        let service = kept.get_mut().unwrap();
        let mut draw = Draw::new(data);
        let route = draw.pick(routes());
        let peer = [192, 0, 2, draw.byte()].into();
        let Some(request) = service.request(route, &mut draw) else {
            return;
        };
        service.served += 1;
        // Nobody is throttled for long, and no two ids are of one millisecond.
        service.clock.advance(Duration::from_millis(500));
        let (parts, body) = request.into_parts();
        let body = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
        let response = world::wait(service.api.serve(route, parts, Some(peer), body));
        check(route, &response);
    });
}

fn check(route: &Route, response: &Response) {
    let (status, body) = (response.status(), response.body());
    let text = String::from_utf8_lossy(body);
    assert!(!status.is_server_error(), "{route:?}: {status} {text}");
    assert!(!text.contains(PASSWORD), "{route:?}: {text}");
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .map(|kind| kind.to_str().unwrap());
    if status.is_client_error() {
        assert_eq!(kind, Some("application/problem+json"), "{route:?}: {text}");
        let problem: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(problem["status"], status.as_u16(), "{text}");
        for member in ["type", "title", "detail", "code"] {
            assert!(problem[member].is_string(), "{route:?}: {text}");
        }
    } else if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        assert!(
            serde_json::from_slice::<Value>(body).is_ok(),
            "{route:?}: {text}"
        );
    }
}
