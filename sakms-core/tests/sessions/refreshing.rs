//! Refresh tokens: one good one at a time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sakms_core::account::AccountQuery;
use sakms_core::journal::Actor;
use sakms_core::secret::RefreshToken;
use sakms_core::service::{CallerDenial, Error, Origin, RefreshDenial, SessionConfig};
use sakms_core::store::{AccountStore as _, MemoryStore, StateStore as _, StoreErrorKind};
use sakms_core::testkit::faults::{Fault, StoreMethod};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{EMAIL, Node, PASSWORD, is_unavailable, password, refresh_token, session, text};

const GRACE: Duration = Duration::from_secs(10);

fn token(text: &str) -> RefreshToken {
    RefreshToken::new(text.to_owned())
}

/// One successor, whoever comes first, and nobody is turned away; it works, and the one before it no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_32_refreshes_at_once_one_successor_comes() {
    let node = Arc::new(Node::new().await);
    let mut current = text(&node.sign_in().await);
    let mut seen = HashSet::from([current.clone()]);
    for round in 0..1_000 {
        let barrier = Arc::new(Barrier::new(32));
        let mut racing = JoinSet::new();
        for _ in 0..32 {
            let (node, barrier, shown) = (Arc::clone(&node), Arc::clone(&barrier), token(&current));
            racing.spawn(async move {
                barrier.wait().await;
                text(&node.refresh(&shown).await.unwrap())
            });
        }
        let successors: HashSet<_> = racing.join_all().await.into_iter().collect();
        assert_eq!(successors.len(), 1, "round {round}");
        current = successors.into_iter().next().unwrap();
        assert!(seen.insert(current.clone()), "round {round}");
    }
    node.refresh(&token(&current)).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_given_again_within_the_grace() {
    let node = Node::new().await;
    let first = node.sign_in().await;
    let second = text(&node.refresh(refresh_token(&first)).await.unwrap());
    for wait in [Duration::ZERO, GRACE] {
        node.clock.advance(wait);
        let again = node.refresh(refresh_token(&first)).await.unwrap();
        assert_eq!(text(&again), second);
        assert_eq!(again.session(), first.session());
        node.caller(again.token()).await.unwrap();
    }
    node.refresh(&token(&second)).await.unwrap();
}

#[tokio::test]
async fn a_replay_after_the_grace_ends_the_session() {
    let node = Node::new().await;
    let first = node.sign_in().await;
    let second = node.refresh(refresh_token(&first)).await.unwrap();
    node.caller(second.token()).await.unwrap();
    node.clock.advance(GRACE + Duration::from_micros(1));
    let replayed = node.refresh(refresh_token(&first)).await;
    assert_eq!(replayed.unwrap_err(), RefreshDenial::Replayed);
    // For the thief and for who was robbed: which is which, nobody knows.
    for shown in [&first, &second] {
        let refused = node.refresh(refresh_token(shown)).await;
        assert_eq!(refused.unwrap_err(), RefreshDenial::Ended);
        let denied = node.caller(shown.token()).await;
        assert_eq!(denied.unwrap_err(), CallerDenial::SessionEnded);
    }
    let last = node.journal().await.pop().unwrap();
    let id = session(&first);
    assert_eq!(
        last,
        (
            "session.end".to_owned(),
            format!("session={id} reason=replayed")
        )
    );
}

#[tokio::test]
async fn an_older_token_ends_the_session_at_once() {
    let node = Node::new().await;
    let first = node.sign_in().await;
    let second = node.refresh(refresh_token(&first)).await.unwrap();
    let third = node.refresh(refresh_token(&second)).await.unwrap();
    let replayed = node.refresh(refresh_token(&first)).await;
    assert_eq!(replayed.unwrap_err(), RefreshDenial::Replayed);
    let refused = node.refresh(refresh_token(&third)).await;
    assert_eq!(refused.unwrap_err(), RefreshDenial::Ended);
}

#[tokio::test]
async fn without_a_grace_a_token_counts_once() {
    let config = SessionConfig::default().grace(Duration::ZERO);
    let node = Node::with(|builder| builder.session_config(config)).await;
    let first = node.sign_in().await;
    node.refresh(refresh_token(&first)).await.unwrap();
    node.clock.advance(Duration::from_micros(1));
    let replayed = node.refresh(refresh_token(&first)).await;
    assert_eq!(replayed.unwrap_err(), RefreshDenial::Replayed);
}

/// Idle for too long, or too old however much it is used.
#[tokio::test]
async fn a_session_ends_in_its_time() {
    let (idle, absolute) = (Duration::from_hours(10), Duration::from_hours(25));
    let config = SessionConfig::default().idle(idle).absolute(absolute);
    let node = Node::with(|builder| builder.session_config(config)).await;
    let left = node.sign_in().await;
    node.clock.advance(idle);
    let refused = node.refresh(refresh_token(&left)).await;
    assert_eq!(refused.unwrap_err(), RefreshDenial::Expired);
    assert!(node.record(session(&left)).await.is_none());

    let mut used = node.sign_in().await;
    for hours in [9, 9, 6] {
        node.clock.advance(Duration::from_hours(hours));
        used = node.refresh(refresh_token(&used)).await.unwrap();
    }
    node.clock.advance(Duration::from_mins(59));
    used = node.refresh(refresh_token(&used)).await.unwrap();
    node.caller(used.token()).await.unwrap();
    node.clock.advance(Duration::from_mins(1));
    let denied = node.caller(used.token()).await;
    assert_eq!(denied.unwrap_err(), CallerDenial::SessionEnded);
    let refused = node.refresh(refresh_token(&used)).await;
    assert_eq!(refused.unwrap_err(), RefreshDenial::Expired);
}

#[tokio::test]
async fn what_has_ended_is_forgotten() {
    let node = Node::new().await;
    let left = node.sign_in().await;
    node.clock.advance(Duration::from_hours(31 * 24));
    node.sakms.flush().await.unwrap();
    assert!(node.record(session(&left)).await.is_none());
}

/// Without our tag nothing comes as far as the store.
#[tokio::test]
async fn what_is_no_token_of_ours_asks_the_store_nothing() {
    let node = Node::new().await;
    let good = text(&node.sign_in().await);
    node.faults.forget_calls();
    let mut bad = vec![
        String::new(),
        "x".to_owned(),
        good[1..].to_owned(),
        format!("{good}0"),
    ];
    bad.extend((0..good.len()).map(|place| {
        let other = if &good[place..=place] == "0" {
            "1"
        } else {
            "0"
        };
        format!("{}{other}{}", &good[..place], &good[place + 1..])
    }));
    for text in bad {
        let refused = node.refresh(&token(&text)).await;
        assert_eq!(refused.unwrap_err(), RefreshDenial::Malformed, "{text}");
    }
    assert_eq!(node.faults.all_calls(), 0);
}

#[tokio::test]
async fn a_token_is_stored_nowhere() {
    let node = Node::new().await;
    let first = node.sign_in().await;
    let second = node.refresh(refresh_token(&first)).await.unwrap();
    let record = node.record(session(&first)).await.unwrap();
    let journal = format!("{:?}", node.journal().await);
    for signed_in in [&first, &second] {
        let text = text(signed_in);
        let secret = &text[text.len() - 54..text.len() - 11];
        assert!(!journal.contains(secret));
        assert!(
            !record
                .value
                .windows(43)
                .any(|part| part == secret.as_bytes())
        );
        let printed = format!("{signed_in:?}");
        assert!(
            !printed.contains(secret) && !printed.contains(signed_in.token().expose()),
            "{printed}"
        );
    }
}

/// Could not decide is an error, and the token can be shown again.
#[tokio::test]
async fn an_outage_refuses_nothing() {
    let node = Node::new().await;
    let first = node.sign_in().await;
    let away = Fault::Before(StoreErrorKind::Unavailable);
    for method in [
        StoreMethod::State,
        StoreMethod::Account,
        StoreMethod::OwnerDisabledAt,
        StoreMethod::UpdateState,
    ] {
        node.faults.inject_into(method, away);
        let undecided = node
            .sakms
            .refresh(refresh_token(&first), &Origin::default())
            .await;
        assert!(is_unavailable(&undecided), "{method:?} {undecided:?}");
        node.faults.heal();
    }
    // The answer to the commit is lost: the next try gets what the first one would have got.
    let lost = Fault::After(StoreErrorKind::OutcomeUnknown);
    node.faults.inject_next(StoreMethod::UpdateState, 1, lost);
    let unknown = node
        .sakms
        .refresh(refresh_token(&first), &Origin::default())
        .await;
    assert!(
        matches!(unknown, Err(Error::Store(error)) if error.kind() == StoreErrorKind::OutcomeUnknown)
    );
    let second = node.refresh(refresh_token(&first)).await.unwrap();
    node.refresh(refresh_token(&second)).await.unwrap();
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_an_error() {
    let node = Node::new().await;
    let first = node.sign_in().await;
    let mut record = node.record(session(&first)).await.unwrap();
    record.value.pop();
    let update = node.memory.update_state(
        record.kind,
        record.id,
        record.revision,
        &record.value,
        record.expires_at,
        None,
    );
    update.await.unwrap();
    let corrupt = |error: Error| matches!(error, Error::Store(error) if error.kind() == StoreErrorKind::Corrupt);
    assert!(corrupt(node.ask(first.token()).await.unwrap_err()));
    let refreshed = node
        .sakms
        .refresh(refresh_token(&first), &Origin::default())
        .await;
    assert!(corrupt(refreshed.unwrap_err()));
}

#[tokio::test]
async fn a_disabled_owner_refreshes_nothing() {
    let node = Node::new().await;
    let owner = node.owner().await;
    let first = node.sign_in().await;
    node.sakms
        .disable_owner(&owner, Actor::SYSTEM)
        .await
        .unwrap();
    assert_eq!(
        node.refresh(refresh_token(&first)).await.unwrap_err(),
        RefreshDenial::Disabled
    );
    node.sakms
        .enable_owner(&owner, Actor::SYSTEM)
        .await
        .unwrap();
    assert_eq!(
        node.refresh(refresh_token(&first)).await.unwrap_err(),
        RefreshDenial::Ended
    );
}

/// The accounts were put back from a backup in which this one is not.
#[tokio::test]
async fn an_account_that_is_gone_refreshes_nothing() {
    let accounts = MemoryStore::new();
    let node = Node::with(|builder| builder.accounts(accounts.clone())).await;
    let first = node.sign_in().await;
    accounts.restore(&MemoryStore::new());
    assert_eq!(
        node.caller(first.token()).await.unwrap_err(),
        CallerDenial::UnknownAccount
    );
    assert_eq!(
        node.refresh(refresh_token(&first)).await.unwrap_err(),
        RefreshDenial::AccountChanged
    );
    assert!(node.record(session(&first)).await.is_none());
    assert!(
        accounts
            .accounts(&AccountQuery::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

/// Past the most there may be, the oldest ends, however many begin at once.
#[tokio::test]
async fn an_account_has_so_many_sessions() {
    let config = SessionConfig::default().most(3);
    let node = Arc::new(Node::with(|builder| builder.session_config(config)).await);
    let mut all = Vec::new();
    for _ in 0..5 {
        node.clock.advance(Duration::from_millis(1));
        all.push(node.sign_in().await);
        node.caller(all.last().unwrap().token()).await.unwrap();
    }
    for (place, signed_in) in all.iter().enumerate() {
        assert_eq!(
            node.caller(signed_in.token()).await.is_ok(),
            place >= 2,
            "{place}"
        );
    }
    let mut racing = JoinSet::new();
    for _ in 0..16 {
        let node = Arc::clone(&node);
        racing.spawn(async move { node.sakms.login(EMAIL, &password(PASSWORD)).await.is_ok() });
    }
    assert!(racing.join_all().await.into_iter().all(|done| done));
    let caller = node.sign_in().await;
    let caller = node.caller(caller.token()).await.unwrap();
    assert_eq!(node.sakms.sessions(&caller).await.unwrap().len(), 3);
}
