//! Tokens of sessions that have ended, on the node that ended them and on others.

use std::time::Duration;

use sakms_core::account::AccountRole;
use sakms_core::journal::Actor;
use sakms_core::service::{CallerDenial, RefreshDenial};
use sakms_core::store::StoreErrorKind;
use sakms_core::testkit::faults::Fault;

use super::{EMAIL, Node, is_unavailable, refresh_token, session};

/// The bound that nothing is believed past.
const BOUND: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_token_of_a_session_that_is_known_asks_the_store_nothing() {
    let node = Node::new().await;
    let signed_in = node.sign_in().await;
    node.sakms.catch_up().await.unwrap();
    node.caller(signed_in.token()).await.unwrap();
    node.faults.forget_calls();
    for _ in 0..100 {
        let caller = node.caller(signed_in.token()).await.unwrap();
        assert_eq!(caller.session(), signed_in.session());
    }
    assert_eq!(node.faults.all_calls(), 0);
    // A refresh changes nothing about that: the session is the same.
    let refreshed = node.refresh(refresh_token(&signed_in)).await.unwrap();
    node.faults.forget_calls();
    node.caller(refreshed.token()).await.unwrap();
    assert_eq!(node.faults.all_calls(), 0);
}

/// Each way to end a session: in force at once where it was done, and elsewhere when the journal is read.
#[tokio::test]
async fn an_ended_session_opens_nothing_on_any_node() {
    for way in ["logout", "logout_all", "end", "replay", "disable"] {
        let here = Node::new().await;
        let there = here.another();
        let (first, other) = (here.sign_in().await, here.sign_in().await);
        for node in [&here, &there] {
            node.sakms.catch_up().await.unwrap();
            for signed_in in [&first, &other] {
                node.caller(signed_in.token()).await.unwrap();
            }
        }
        let caller = here.caller(first.token()).await.unwrap();
        let denial = match way {
            "logout" => {
                here.sakms.logout(&caller).await.unwrap();
                // A second time is the same, also for a token that is still believed elsewhere.
                there.sakms.logout(&caller).await.unwrap();
                CallerDenial::SessionEnded
            }
            "logout_all" => {
                here.sakms.logout_all(&caller).await.unwrap();
                CallerDenial::SessionEnded
            }
            "end" => {
                let caller = here.caller(other.token()).await.unwrap();
                here.sakms
                    .end_session(&caller, session(&first))
                    .await
                    .unwrap();
                CallerDenial::SessionEnded
            }
            "replay" => {
                here.refresh(refresh_token(&first)).await.unwrap();
                here.clock.advance(Duration::from_mins(1));
                let replay = here.refresh(refresh_token(&first)).await;
                assert_eq!(replay.unwrap_err(), RefreshDenial::Replayed);
                CallerDenial::SessionEnded
            }
            _ => {
                let owner = caller.owner_name();
                here.sakms
                    .disable_owner(owner, Actor::SYSTEM)
                    .await
                    .unwrap();
                CallerDenial::Disabled
            }
        };
        let denied = here.caller(first.token()).await;
        assert_eq!(denied.unwrap_err(), denial, "{way}, at once");
        there.sakms.catch_up().await.unwrap();
        let denied = there.caller(first.token()).await;
        assert_eq!(denied.unwrap_err(), denial, "{way}, elsewhere");
        let stands = there.caller(other.token()).await.is_ok();
        assert_eq!(stands, ["logout", "end", "replay"].contains(&way), "{way}");
    }
}

/// A node that cannot read the journal believes nothing past the bound; it then asks the store.
#[tokio::test]
async fn a_node_that_hears_nothing_asks() {
    let here = Node::new().await;
    let there = here.another();
    let signed_in = here.sign_in().await;
    there.sakms.catch_up().await.unwrap();
    there.caller(signed_in.token()).await.unwrap();
    let caller = here.caller(signed_in.token()).await.unwrap();
    here.sakms.logout(&caller).await.unwrap();
    there
        .clock
        .advance(BOUND.checked_sub(Duration::from_millis(1)).unwrap());
    there.caller(signed_in.token()).await.unwrap();
    there.clock.advance(Duration::from_millis(1));
    let denied = there.caller(signed_in.token()).await;
    assert_eq!(denied.unwrap_err(), CallerDenial::SessionEnded);
}

/// While the store is away, what is known is believed up to the bound; after it nothing can be decided, which is no denial.
#[tokio::test]
async fn an_outage_denies_nobody() {
    let node = Node::new().await;
    let (known, unknown) = (node.sign_in().await, node.sign_in().await);
    node.sakms.catch_up().await.unwrap();
    node.caller(known.token()).await.unwrap();
    node.faults
        .inject(Fault::Before(StoreErrorKind::Unavailable));
    node.caller(known.token()).await.unwrap();
    assert!(is_unavailable(&node.ask(unknown.token()).await));
    node.clock.advance(BOUND);
    assert!(is_unavailable(&node.ask(known.token()).await));
    node.faults.heal();
    node.caller(known.token()).await.unwrap();
    node.caller(unknown.token()).await.unwrap();
}

#[tokio::test]
async fn a_role_is_in_force_on_every_node() {
    let here = Node::new().await;
    let there = here.another();
    let signed_in = here.sign_in().await;
    for held in [true, false] {
        for node in [&here, &there] {
            node.sakms.catch_up().await.unwrap();
            assert_eq!(
                node.caller(signed_in.token()).await.unwrap().is_admin(),
                !held
            );
        }
        let set = here
            .sakms
            .set_account_role(EMAIL, AccountRole::Admin, held, Actor::SYSTEM);
        set.await.unwrap();
        assert_eq!(
            here.caller(signed_in.token()).await.unwrap().is_admin(),
            held
        );
        there.sakms.catch_up().await.unwrap();
        assert_eq!(
            there.caller(signed_in.token()).await.unwrap().is_admin(),
            held
        );
    }
}

/// A reading that began before a session was ended is worth nothing after it, whenever it arrives.
#[tokio::test]
async fn a_late_reading_does_not_bring_a_session_back() {
    use sakms_core::testkit::faults::StoreMethod;
    let node = std::sync::Arc::new(Node::new().await);
    let signed_in = std::sync::Arc::new(node.sign_in().await);
    node.sakms.catch_up().await.unwrap();
    let caller = node.caller(signed_in.token()).await.unwrap();
    // Void, so that it is read again.
    node.sakms
        .logout_all(&node.caller(node.sign_in().await.token()).await.unwrap())
        .await
        .unwrap();
    let _ = caller;
    let signed_in = std::sync::Arc::new(node.sign_in().await);
    node.faults
        .inject_into(StoreMethod::OwnerDisabledAt, Fault::StallAfter);
    let late = tokio::spawn({
        let (node, signed_in) = (
            std::sync::Arc::clone(&node),
            std::sync::Arc::clone(&signed_in),
        );
        async move { node.caller(signed_in.token()).await.is_ok() }
    });
    node.faults.forget_calls();
    while node.faults.calls(StoreMethod::OwnerDisabledAt) == 0 {
        tokio::task::yield_now().await;
    }
    let other = node.another();
    let caller = other.caller(signed_in.token()).await.unwrap();
    other.sakms.logout(&caller).await.unwrap();
    node.sakms.catch_up().await.unwrap();
    node.faults.heal();
    let _ = late.await.unwrap();
    let denied = node.caller(signed_in.token()).await;
    assert_eq!(denied.unwrap_err(), CallerDenial::SessionEnded);
}
