//! Changed passwords, and what a caller may do to sessions.

use std::time::Duration;

use sakms_core::id::SessionId;
use sakms_core::key::Owner;
use sakms_core::service::{Caller, CallerDenial, Error, LoginDenial, Origin, RefreshDenial};
use sakms_core::store::StoreErrorKind;
use sakms_core::testkit::faults::{Fault, StoreMethod};

use super::{EMAIL, Node, PASSWORD, is_unavailable, password, refresh_token, session};

const ANOTHER: &str = "pewter violin harbour moss";

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_everywhere() {
    let here = Node::new().await;
    let there = here.another();
    let (mine, other) = (here.sign_in().await, here.sign_in().await);
    for node in [&here, &there] {
        node.sakms.catch_up().await.unwrap();
        node.caller(mine.token()).await.unwrap();
        node.caller(other.token()).await.unwrap();
    }
    let caller = here.caller(mine.token()).await.unwrap();
    here.change(&caller, PASSWORD, ANOTHER)
        .await
        .unwrap()
        .unwrap();
    for node in [&here, &there] {
        node.sakms.catch_up().await.unwrap();
        node.caller(mine.token()).await.unwrap();
        let denied = node.caller(other.token()).await;
        assert_eq!(denied.unwrap_err(), CallerDenial::SessionEnded);
        let refused = node.refresh(refresh_token(&other)).await;
        assert_eq!(refused.unwrap_err(), RefreshDenial::Ended);
    }
    here.refresh(refresh_token(&mine)).await.unwrap();
    let old = here.sakms.login(EMAIL, &password(PASSWORD)).await.unwrap();
    assert_eq!(old.into_result().unwrap_err(), LoginDenial);
    here.sign_in_with(ANOTHER).await;
    let kept = format!("reason=password except={}", session(&mine));
    let journal = here.journal().await;
    assert!(
        journal.contains(&("account.password".to_owned(), String::new())),
        "{journal:?}"
    );
    assert!(
        journal.contains(&("sessions.end".to_owned(), kept)),
        "{journal:?}"
    );
}

/// The change of the password is what ends the sessions: that they are taken away as well is only tidy.
#[tokio::test]
async fn sessions_are_over_with_the_password_whatever_fails_after_it() {
    for method in [
        StoreMethod::State,
        StoreMethod::UpdateState,
        StoreMethod::RemoveStates,
    ] {
        let node = Node::new().await;
        let (mine, other) = (node.sign_in().await, node.sign_in().await);
        let caller = node.caller(mine.token()).await.unwrap();
        node.caller(other.token()).await.unwrap();
        node.faults
            .inject_into(method, Fault::Before(StoreErrorKind::Unavailable));
        node.change(&caller, PASSWORD, ANOTHER)
            .await
            .unwrap()
            .unwrap();
        node.faults.heal();
        let denied = node.caller(other.token()).await;
        assert_eq!(
            denied.unwrap_err(),
            CallerDenial::SessionEnded,
            "{method:?}"
        );
        let refused = node.refresh(refresh_token(&other)).await;
        assert!(
            matches!(refused.unwrap_err(), RefreshDenial::AccountChanged),
            "{method:?}"
        );
    }
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let node = Node::new().await;
    let (mine, other) = (node.sign_in().await, node.sign_in().await);
    let caller = node.caller(mine.token()).await.unwrap();
    let change = |old: &'static str, new: &'static str| node.change(&caller, old, new);
    let wrong = change(ANOTHER, ANOTHER).await.unwrap();
    assert_eq!(wrong.unwrap_err(), LoginDenial);
    for weak in ["short", "passwordpassword", "ada@example.com"] {
        let error = change(PASSWORD, weak).await.unwrap_err();
        let Error::Invalid(fields) = error else {
            panic!("{error:?}");
        };
        assert_eq!(fields[0].field, "new_password");
    }
    for method in [StoreMethod::Account, StoreMethod::SetPassword] {
        node.faults
            .inject_into(method, Fault::Before(StoreErrorKind::Unavailable));
        assert!(
            is_unavailable(&change(PASSWORD, ANOTHER).await),
            "{method:?}"
        );
        node.faults.heal();
    }
    // Nothing has happened.
    node.sign_in().await;
    for signed_in in [&mine, &other] {
        node.caller(signed_in.token()).await.unwrap();
    }
    // Somebody else was faster.
    let stale = Fault::Before(StoreErrorKind::Stale);
    node.faults.inject_next(StoreMethod::SetPassword, 1, stale);
    assert!(matches!(
        change(PASSWORD, ANOTHER).await,
        Err(Error::Contended)
    ));
}

#[tokio::test]
async fn sessions_are_listed() {
    let node = Node::new().await;
    let from = Origin::new("192.0.2.7".parse().ok(), Some("curl/8.5\r\n"));
    let login = node
        .sakms
        .login_from(EMAIL, &password(PASSWORD), &from)
        .await;
    let first = login.unwrap().into_result().unwrap();
    node.clock.advance(Duration::from_millis(5));
    let second = node.sign_in().await;
    let caller = node.caller(second.token()).await.unwrap();
    let listed = node.sakms.sessions(&caller).await.unwrap();
    let shown: Vec<_> = listed.iter().map(|one| (one.id, one.current)).collect();
    assert_eq!(shown, [(session(&second), true), (session(&first), false)]);
    assert_eq!(listed[1].origin, from);
    assert_eq!(listed[1].origin.user_agent(), Some("curl/8.5"));
    node.clock.advance(Duration::from_mins(1));
    node.refresh(refresh_token(&first)).await.unwrap();
    let again = node.sakms.sessions(&caller).await.unwrap();
    let used = again[1].last_used_at.since(again[1].created_at);
    assert_eq!(used, Duration::from_millis(60_005));
    assert_eq!(again[1].origin, Origin::default());
}

/// Another's session is not there, and neither is one that never was; a session is for who has signed in.
#[tokio::test]
async fn sessions_are_ended_by_their_owner() {
    let node = Node::new().await;
    let mine = node.sign_in().await;
    node.sakms
        .register("eve@example.com", &password(PASSWORD))
        .await
        .unwrap();
    let eve = node
        .sakms
        .login("eve@example.com", &password(PASSWORD))
        .await;
    let eve = eve.unwrap().into_result().unwrap();
    let caller = node.caller(mine.token()).await.unwrap();
    for id in [session(&eve), SessionId::from_bytes([7; 16])] {
        let refused = node.sakms.end_session(&caller, id).await;
        assert!(matches!(refused, Err(Error::NotFound)));
    }
    node.sakms.logout_all(&caller).await.unwrap();
    node.caller(eve.token()).await.unwrap();
    let host = Caller::owner("ada".parse::<Owner>().unwrap());
    for refused in [
        node.sakms.logout(&host).await,
        node.sakms.logout_all(&host).await,
        node.sakms.end_session(&host, session(&eve)).await,
        node.sakms.sessions(&host).await.map(drop),
        node.change(&host, PASSWORD, ANOTHER).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::TokenOnly)), "{refused:?}");
    }
}
