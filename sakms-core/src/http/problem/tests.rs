use http::Method;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};

use super::*;
use crate::hash::HashError;
use crate::service::{Error, KeyDenial, LoginDenial};
use crate::store::StoreError;
use crate::store::StoreErrorKind;

fn of(error: Error) -> (u16, String) {
    let response = Problem::from(error).into_response();
    let retry = response.headers().contains_key(RETRY_AFTER);
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["status"], response.status().as_u16());
    assert_eq!(response.status() == 503, retry && response.status() != 409);
    (
        response.status().as_u16(),
        body["code"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn an_outage_is_503_and_never_a_denial() {
    for (kind, status) in [
        (StoreErrorKind::Unavailable, 503),
        (StoreErrorKind::OutcomeUnknown, 503),
        (StoreErrorKind::ReadOnly, 503),
        (StoreErrorKind::Corrupt, 500),
        (StoreErrorKind::Internal, 500),
        (StoreErrorKind::Conflict, 500),
    ] {
        assert_eq!(
            of(StoreError::new(kind, "find").into()).0,
            status,
            "{kind:?}"
        );
    }
    assert_eq!(of(HashError::Overloaded.into()), (503, "overloaded".into()));
}

#[test]
fn a_cause_is_never_shown() {
    let cause = StoreError::new(StoreErrorKind::Internal, "find")
        .because("host db.internal, table sakms_keys");
    let response = Problem::from(Error::from(cause)).into_response();
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(
        !text.contains("db.internal") && !text.contains("find"),
        "{text}"
    );
}

#[test]
fn a_401_carries_a_challenge() {
    for problem in [
        Problem::credential_missing(),
        Problem::key_denied(&KeyDenial::Revoked),
        Problem::login_denied(LoginDenial),
    ] {
        let response = problem.into_response();
        assert_eq!(response.status(), 401);
        assert!(
            response.headers()[WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .starts_with("Bearer realm=")
        );
    }
}

#[test]
fn unknown_and_malformed_keys_look_the_same() {
    let bytes = |denial| Problem::key_denied(&denial).into_response().into_body();
    assert_eq!(bytes(KeyDenial::Malformed), bytes(KeyDenial::Unknown));
    assert_eq!(bytes(KeyDenial::Disabled), bytes(KeyDenial::OwnerDisabled));
}

#[test]
fn an_absent_method_names_the_ones_there_are() {
    let response = Problem::method_not_allowed(&[Method::GET, Method::HEAD]).into_response();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()[ALLOW], "GET,HEAD");
}
