//! The suite for adapters can fail: each of these hosts is wrong in one way, and a case says so.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LINK, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode, Uri};
use sakms_core::http::Api;
use sakms_core::store::MemoryStore;
use sakms_core::testkit::http::{
    self as suite, Stage, accounts, bodies, credentials, flow, guard, keys, outage, paging, races,
    table,
};
use sakms_core::testkit::store::Fixture;
use tower_layer::Layer as _;

/// What a host does wrong to a request before, or to an answer after, everything else has done right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Takes an outage for a bad credential.
    RefusesDuringAnOutage,
    /// Takes an outage for success.
    WelcomesDuringAnOutage,
    /// Takes everything it cannot decide for a mistake of its own.
    BreaksDuringAnOutage,
    /// Answers errors as text.
    WritesPlainErrors,
    /// Leaves out what a path answers to.
    ForgetsAllow,
    /// Leaves out how to sign in.
    ForgetsTheChallenge,
    /// Lets answers be kept.
    AllowsCaching,
    /// Takes the first of two credentials.
    TakesTheFirstCredential,
    /// Takes keys from the query.
    TakesKeysFromTheQuery,
    /// Remembers that a key was good.
    RemembersVerdicts,
    /// Gives a neighbour's answer to whoever asks at the same time.
    SharesAnswers,
    /// Writes a request's credential into its answer.
    EchoesCredentials,
    /// Reads paths in any case.
    FoldsPaths,
    /// Says of another's thing that it is forbidden.
    TellsForbiddenFromAbsent,
    /// Answers before a body was read, and hangs up.
    HangsUpOnLargeBodies,
    /// Links to a place of its own.
    LinksElsewhere,
    /// Tells a wrong password from an unknown address.
    TellsWhoIsRegistered,
    /// Turns a mistake of its own into success.
    HidesMistakes,
}

type Memory = Arc<Mutex<HashMap<String, (StatusCode, Vec<u8>)>>>;

fn before(flaw: Flaw, request: &mut Request) -> Option<Response> {
    match flaw {
        Flaw::TakesTheFirstCredential => {
            if let Some(first) = request.headers().get(AUTHORIZATION).cloned() {
                request.headers_mut().insert(AUTHORIZATION, first);
                request.headers_mut().remove("x-api-key");
            }
        }
        Flaw::TakesKeysFromTheQuery => {
            let query = request.uri().query().unwrap_or_default();
            let key = query
                .split_once("key=")
                .map(|(_, key)| HeaderValue::from_str(key));
            if let Some(Ok(key)) = key {
                request.headers_mut().insert("x-api-key", key);
            }
        }
        Flaw::FoldsPaths => {
            let folded = request.uri().to_string().to_lowercase();
            *request.uri_mut() = folded.parse::<Uri>().unwrap();
        }
        Flaw::HangsUpOnLargeBodies => {
            let length = request.headers().get("content-length")?.to_str().ok()?;
            if length.parse::<usize>().ok()? > 64 * 1024 {
                return Some(too_large());
            }
        }
        _ => {}
    }
    None
}

fn answer(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Right in itself, and never read by a client that is still sending.
fn too_large() -> Response {
    let body = r#"{"type":"x","title":"x","status":413,"detail":"x","code":"body_too_large"}"#;
    let mut response = answer(StatusCode::PAYLOAD_TOO_LARGE, body.into());
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn after(flaw: Flaw, mut response: Response, credential: Option<HeaderValue>) -> Response {
    let status = response.status();
    let away = status == StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    let other = match flaw {
        Flaw::RefusesDuringAnOutage if away => StatusCode::UNAUTHORIZED,
        Flaw::WelcomesDuringAnOutage if away => StatusCode::OK,
        Flaw::BreaksDuringAnOutage if away => StatusCode::INTERNAL_SERVER_ERROR,
        Flaw::TellsForbiddenFromAbsent
            if status == StatusCode::NOT_FOUND && credential.is_some() =>
        {
            StatusCode::FORBIDDEN
        }
        Flaw::HidesMistakes if status == StatusCode::INTERNAL_SERVER_ERROR => StatusCode::OK,
        Flaw::WritesPlainErrors if status.is_client_error() => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            status
        }
        Flaw::ForgetsAllow => {
            headers.remove(ALLOW);
            status
        }
        Flaw::ForgetsTheChallenge => {
            headers.remove(WWW_AUTHENTICATE);
            status
        }
        Flaw::AllowsCaching => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
            status
        }
        Flaw::LinksElsewhere if headers.contains_key(LINK) => {
            headers.insert(
                LINK,
                HeaderValue::from_static("</keys?cursor=x>; rel=\"next\""),
            );
            status
        }
        Flaw::EchoesCredentials => {
            if let Some(credential) = credential {
                headers.insert("x-seen", credential);
            }
            status
        }
        _ => status,
    };
    *response.status_mut() = other;
    response
}

/// Two flaws that need to remember something between requests.
async fn remembering(flaw: Flaw, memory: Memory, request: Request, next: Next) -> Response {
    let credential = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name = match flaw {
        Flaw::RemembersVerdicts => format!("{} {credential}", request.uri()),
        _ => request.uri().to_string(),
    };
    let concerned = request.uri().path().starts_with("/guarded") && request.method() == Method::GET;
    let known = memory
        .lock()
        .unwrap()
        .get(&name)
        .cloned()
        .filter(|_| concerned);
    if let Some((status, body)) = known {
        return answer(status, body);
    }
    let (parts, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    if parts.status == StatusCode::OK && concerned {
        memory
            .lock()
            .unwrap()
            .insert(name, (parts.status, body.clone()));
    }
    Response::from_parts(parts, Body::from(body))
}

async fn tell_who_is_registered(request: Request, next: Next) -> Response {
    let login = request.uri().path().starts_with("/auth/login");
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let unknown = login && String::from_utf8_lossy(&body).contains("nobody");
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if unknown {
        response
            .headers_mut()
            .insert("x-hint", HeaderValue::from_static("unknown"));
    }
    response
}

fn wrong_app(flaw: Flaw, api: Api) -> Router {
    let memory = Memory::default();
    let app = common::app(api);
    match flaw {
        Flaw::RemembersVerdicts | Flaw::SharesAnswers => {
            app.layer(from_fn(move |request, next| {
                remembering(flaw, Arc::clone(&memory), request, next)
            }))
        }
        Flaw::TellsWhoIsRegistered => app.layer(from_fn(tell_who_is_registered)),
        _ => {
            let wrong = from_fn(move |mut request: Request, next: Next| async move {
                let credential = request.headers().get(AUTHORIZATION).cloned();
                if let Some(early) = before(flaw, &mut request) {
                    return early;
                }
                after(flaw, next.run(request).await, credential)
            });
            // Around the whole router, so that it comes before the routing.
            Router::new().fallback_service(wrong.layer(app))
        }
    }
}

/// Whether the case passes on a host with this flaw.
fn passes(flaw: Flaw, case: impl AsyncFnOnce(&Stage)) -> bool {
    let start = move |api: Api| async move { common::serve(wrong_app(flaw, api)).await };
    let factory = async || Some(Fixture::full(MemoryStore::new()));
    catch_unwind(AssertUnwindSafe(|| {
        suite::run("a case", start, factory, case);
    }))
    .is_ok()
}

macro_rules! detects {
    ($($name:ident: $flaw:ident by $($room:ident::$case:ident)*;)*) => {$(
        #[test]
        fn $name() {
            $(
                assert!(passes(Flaw::None, $room::$case), "{} on a good host", stringify!($case));
                assert!(!passes(Flaw::$flaw, $room::$case), "{} sees nothing", stringify!($case));
            )*
        }
    )*};
}

detects! {
    an_outage_taken_for_a_denial: RefusesDuringAnOutage by
        outage::an_outage_is_503_everywhere outage::a_guard_without_a_store_is_503 outage::no_single_failure_is_a_verdict;
    an_outage_taken_for_success: WelcomesDuringAnOutage by
        outage::an_outage_is_503_everywhere outage::a_guard_without_a_store_is_503 outage::health_is_not_readiness;
    an_outage_taken_for_a_crash: BreaksDuringAnOutage by
        outage::an_outage_is_503_everywhere outage::a_lost_commit_is_said_to_be_unknown;
    errors_as_text: WritesPlainErrors by
        table::unknown_paths_are_not_found bodies::what_is_no_json_is_malformed credentials::two_credentials_are_refused;
    no_allow: ForgetsAllow by table::other_methods_are_not_allowed;
    no_challenge: ForgetsTheChallenge by table::every_route_answers_each_credential;
    answers_for_caches: AllowsCaching by keys::answers_are_for_nobodys_cache;
    the_first_of_two_credentials: TakesTheFirstCredential by credentials::two_credentials_are_refused;
    keys_from_the_query: TakesKeysFromTheQuery by credentials::a_key_in_the_query_opens_nothing;
    remembered_verdicts: RemembersVerdicts by
        flow::the_flow_with_a_token_in_a_header guard::a_key_ends_to_the_microsecond accounts::a_disabled_owner_is_shut_out;
    mixed_identities: SharesAnswers by races::identities_are_never_mixed;
    echoed_credentials: EchoesCredentials by keys::a_key_looks_the_same_everywhere;
    paths_in_any_case: FoldsPaths by table::unknown_paths_are_not_found keys::what_is_no_id_does_not_exist;
    forbidden_instead_of_absent: TellsForbiddenFromAbsent by keys::anothers_key_does_not_exist;
    a_broken_connection: HangsUpOnLargeBodies by bodies::large_bodies_are_refused_after_they_were_sent;
    links_elsewhere: LinksElsewhere by paging::links_lead_through_every_key_once;
    who_is_registered: TellsWhoIsRegistered by accounts::refused_sign_ins_look_alike;
    hidden_mistakes: HidesMistakes by guard::a_forgotten_guard_is_no_open_door;
}

#[test]
fn every_case_is_in_the_suite() {
    let suite = include_str!("../../sakms-core/src/testkit/http/mod.rs");
    let rooms = std::fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../sakms-core/src/testkit/http"
    ))
    .unwrap();
    let mut cases = 0;
    for room in rooms {
        let path = room.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let room = path.file_stem().unwrap().to_str().unwrap();
        let heads = text.split("\npub async fn ").skip(1);
        for case in heads
            .filter_map(|head| head.split_once("(stage: &Stage)"))
            .map(|(name, _)| name)
        {
            assert!(
                suite.contains(&format!("            {room}::{case}\n")),
                "{room}::{case} is in no suite"
            );
            cases += 1;
        }
    }
    assert!(cases > 80, "{cases} cases were found");
}
