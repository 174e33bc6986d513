//! What is done to keys, by many at once and past the edges, on the memory store.
#![cfg(feature = "testkit")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::ManualClock;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::id::KeyId;
use sakms_core::journal::{Action, Actor, JournalRow, Seq};
use sakms_core::key::{KeyState, MasterKey, ScopeSet};
use sakms_core::secret::{NewKeyText, PresentedKey};
use sakms_core::service::{
    Caller, CreatedKey, Error, KeyChange, KeyDenial, KeySelection, ListRequest, NewKey, Once,
    Requirement, Sakms, SakmsBuilder, Whose,
};
use sakms_core::store::{KeyStore, MemoryStore};
use sakms_core::testkit::fixtures;

const ROUNDS: u32 = 1_000;

struct Node {
    sakms: Sakms,
    store: MemoryStore,
    clock: Arc<ManualClock>,
}

impl Node {
    fn new(more: impl FnOnce(SakmsBuilder) -> SakmsBuilder) -> Self {
        Self::over(MemoryStore::new(), Arc::new(fixtures::clock()), more)
    }

    fn over(
        store: MemoryStore,
        clock: Arc<ManualClock>,
        more: impl FnOnce(SakmsBuilder) -> SakmsBuilder,
    ) -> Self {
        let master = MasterKey::from_bytes(*b"0123456789abcdefghijklmnopqrstuv").unwrap();
        let hashing = HashPoolConfig::default()
            .params(Argon2Params::insecure_fast())
            .queue(4_096)
            .deadline(Duration::from_mins(1));
        let builder = Sakms::builder(store.clone(), master)
            .clock(Arc::clone(&clock) as _)
            .hashing(hashing);
        let sakms = more(builder).build().unwrap();
        Self {
            sakms,
            store,
            clock,
        }
    }

    async fn key(&self, caller: &Caller) -> CreatedKey {
        let new = NewKey::default();
        self.sakms.create_key(caller, new).await.unwrap()
    }

    async fn check(&self, text: &NewKeyText) -> Result<(), KeyDenial> {
        let presented = PresentedKey::new(text.expose().to_owned());
        let verdict = self.sakms.verify(&presented, &Requirement::any_key()).await;
        verdict.unwrap().map(drop).into_result()
    }

    /// Who holds this key, as a caller.
    async fn caller(&self, created: &CreatedKey) -> Caller {
        let presented = PresentedKey::new(created.text.expose().to_owned());
        let verdict = self.sakms.verify(&presented, &Requirement::any_key()).await;
        Caller::key(verdict.unwrap().into_result().unwrap())
    }

    async fn journal(&self) -> Vec<JournalRow> {
        self.store
            .journal_after(Seq::START, u32::MAX)
            .await
            .unwrap()
    }
}

fn owner(name: &str) -> Caller {
    Caller::owner(name.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_rotations_at_once_one_is_made() {
    let node = Node::new(|builder| builder);
    let ada = owner("ada");
    for overlap in [Duration::from_mins(1), Duration::ZERO] {
        for round in 0..ROUNDS {
            let key = node.key(&ada).await;
            let rotate = || {
                let (sakms, ada, id) = (node.sakms.clone(), ada.clone(), key.key.id);
                tokio::spawn(async move { sakms.rotate_key(&ada, id, Some(overlap)).await })
            };
            let (first, second) = (rotate(), rotate());
            let outcomes = [first.await.unwrap(), second.await.unwrap()];
            let secrets = node.store.secrets(key.key.id).await.unwrap();
            let made: Vec<_> = outcomes.iter().flatten().collect();
            // Without an overlap, one that began after the other had ended may follow it.
            assert!(made.len() == 1 || overlap.is_zero(), "round {round}");
            assert_eq!(secrets.len(), 1 + made.len(), "round {round}");
            for outcome in &outcomes {
                assert!(
                    matches!(outcome, Ok(_) | Err(Error::RotationInProgress)),
                    "round {round}"
                );
            }
            let mut good = 0;
            for rotated in made {
                good += usize::from(node.check(&rotated.text).await.is_ok());
            }
            assert_eq!(good, 1, "round {round}: one of the new secrets works");
            assert_eq!(node.check(&key.text).await.is_ok(), !overlap.is_zero());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rotation_beside_a_revocation_leaves_no_secret_that_works() {
    let node = Node::new(|builder| builder);
    let ada = owner("ada");
    let mut rotations = 0;
    for round in 0..ROUNDS {
        let key = node.key(&ada).await;
        node.check(&key.text).await.unwrap();
        let (sakms, caller, id) = (node.sakms.clone(), ada.clone(), key.key.id);
        let rotate = tokio::spawn(async move { sakms.rotate_key(&caller, id, None).await });
        let (sakms, caller) = (node.sakms.clone(), ada.clone());
        let revoke = tokio::spawn(async move {
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            sakms.revoke_key(&caller, id).await
        });
        revoke.await.unwrap().unwrap();
        assert_eq!(
            node.check(&key.text).await,
            Err(KeyDenial::Revoked),
            "round {round}"
        );
        match rotate.await.unwrap() {
            Ok(rotated) => {
                rotations += 1;
                let denial = node.check(&rotated.text).await;
                assert_eq!(denial, Err(KeyDenial::Revoked), "round {round}");
            }
            Err(error) => assert!(
                matches!(error, Error::KeyIsRevoked),
                "round {round}: {error}"
            ),
        }
    }
    eprintln!("{rotations} rotations were before the revocation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn switching_on_beside_a_revocation_brings_nothing_back() {
    let node = Node::new(|builder| builder);
    let ada = owner("ada");
    for round in 0..ROUNDS {
        let key = node.key(&ada).await;
        node.sakms.disable_key(&ada, key.key.id).await.unwrap();
        let (sakms, caller, id) = (node.sakms.clone(), ada.clone(), key.key.id);
        let enable = tokio::spawn(async move { sakms.enable_key(&caller, id).await });
        let (sakms, caller) = (node.sakms.clone(), ada.clone());
        let revoke = tokio::spawn(async move { sakms.revoke_key(&caller, id).await });
        revoke.await.unwrap().unwrap();
        assert_eq!(
            node.check(&key.text).await,
            Err(KeyDenial::Revoked),
            "round {round}"
        );
        let enabled = enable.await.unwrap();
        assert!(
            matches!(enabled, Ok(_) | Err(Error::KeyIsRevoked)),
            "round {round}"
        );
        assert_eq!(
            node.check(&key.text).await,
            Err(KeyDenial::Revoked),
            "round {round}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_creations_at_once_do_not_pass_the_limit() {
    let most = NonZeroU32::new(3).unwrap();
    let node = Node::new(|builder| builder.keys_per_owner(most).hashing(quick()));
    for round in 0..ROUNDS {
        let caller = owner(&format!("owner {round}"));
        let racing: Vec<_> = (0..64)
            .map(|_| {
                let (sakms, caller) = (node.sakms.clone(), caller.clone());
                tokio::spawn(async move { sakms.create_key(&caller, NewKey::default()).await })
            })
            .collect();
        let mut made = 0;
        for outcome in racing {
            match outcome.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert!(matches!(error, Error::TooManyKeys), "{error}"),
            }
        }
        assert_eq!(made, most.get(), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_repeats_at_once_one_makes_the_key() {
    let node = Node::new(|builder| builder.keys_per_owner(NonZeroU32::MIN));
    for round in 0..ROUNDS {
        // At its limit as well: what the twin made is no reason to refuse.
        let caller = owner(&format!("owner {round}"));
        let racing: Vec<_> = (0..3)
            .map(|_| {
                let (sakms, caller) = (node.sakms.clone(), caller.clone());
                tokio::spawn(async move {
                    let request = "one".parse().unwrap();
                    sakms
                        .create_key_once(&caller, NewKey::default(), &request)
                        .await
                })
            })
            .collect();
        let (mut made, mut ids) = (0, Vec::new());
        for outcome in racing {
            match outcome.await.unwrap().unwrap() {
                Once::Made(created) => {
                    made += 1;
                    ids.push(created.key.id);
                }
                Once::Replayed(key) => ids.push(key.id),
                _ => unreachable!(),
            }
        }
        ids.dedup();
        assert_eq!((made, ids.len()), (1, 1), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_repeated_rotations_at_once_one_makes_the_secret() {
    let node = Node::new(|builder| builder);
    let ada = owner("ada");
    for round in 0..ROUNDS {
        let key = node.key(&ada).await.key.id;
        let racing: Vec<_> = (0..3)
            .map(|_| {
                let (sakms, ada) = (node.sakms.clone(), ada.clone());
                tokio::spawn(async move {
                    let request = "one".parse().unwrap();
                    sakms.rotate_key_once(&ada, key, None, &request).await
                })
            })
            .collect();
        let mut made = 0;
        for outcome in racing {
            made += u32::from(matches!(outcome.await.unwrap().unwrap(), Once::Made(_)));
        }
        let secrets = node.store.secrets(key).await.unwrap();
        assert_eq!((made, secrets.len()), (1, 2), "round {round}");
    }
}

/// Every pair of subsets of eight scopes, through the making of keys itself: half of what a key has comes by roles.
#[tokio::test]
async fn no_pair_of_scope_sets_makes_a_wider_key() {
    const SCOPES: [&str; 8] = [
        "a:read",
        "a:write",
        "a:*",
        "b:read",
        "b:*",
        "keys:write",
        "keys:*",
        "*",
    ];
    let node = Node::new(|builder| builder.hashing(quick()));
    let (ada, admin) = (owner("ada"), Caller::admin("root".parse().unwrap()));
    for (place, scope) in SCOPES.iter().enumerate() {
        let (name, scopes) = (format!("r{place}"), scope.parse().unwrap());
        node.sakms
            .set_role(&admin, name.parse().unwrap(), scopes)
            .await
            .unwrap();
    }
    let described = |bits: usize, by_role: fn(usize) -> bool| {
        let mut new = NewKey::default();
        let held = (0..8).filter(|place| bits >> place & 1 == 1);
        let (roles, own): (Vec<_>, Vec<_>) = held.partition(|place| by_role(*place));
        new.scopes = own
            .iter()
            .map(|place| SCOPES[*place].parse().unwrap())
            .collect();
        let roles: Vec<_> = roles.iter().map(|place| format!("r{place}")).collect();
        new.roles = roles.join(" ").parse().unwrap();
        new
    };
    let sets: Vec<ScopeSet> = (0..256)
        .map(|bits| described(bits, |_| false).scopes)
        .collect();
    let mut refused = 0;
    for held in 0..256 {
        let parent = node
            .sakms
            .create_key(&ada, described(held, |place| place % 2 == 0));
        let caller = node.caller(&parent.await.unwrap()).await;
        for wanted in 0..256 {
            let by_role: fn(usize) -> bool = |place| place % 3 == 0;
            let outcome = node
                .sakms
                .create_key(&caller, described(wanted, by_role))
                .await;
            let within = sets[wanted].iter().all(|scope| sets[held].grants(scope));
            match outcome {
                Ok(_) => assert!(within, "{} made {}", sets[held], sets[wanted]),
                Err(Error::MissingScope(_)) => {
                    assert!(!within, "{} did not make {}", sets[held], sets[wanted]);
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(refused > 10_000, "{refused}");
}

/// No Argon2, where it is about something else.
fn quick() -> HashPoolConfig {
    HashPoolConfig::default().key_hasher(sakms_core::hash::KeyHasher::HmacSha256)
}

#[tokio::test]
async fn keys_that_nobody_uses_are_reaped() {
    const DAY: Duration = Duration::from_hours(24);
    let lag = Duration::from_secs(10);
    let node = Node::new(|builder| builder.usage_interval(lag));
    let (ada, eve) = (owner("ada"), owner("eve"));
    let (used, idle) = (node.key(&ada).await, node.key(&ada).await);
    let (off, revoked) = (node.key(&eve).await, node.key(&eve).await);
    node.sakms.disable_key(&eve, off.key.id).await.unwrap();
    node.sakms.revoke_key(&eve, revoked.key.id).await.unwrap();
    node.clock.advance(20 * DAY);
    node.check(&used.text).await.unwrap();
    node.clock.advance(10 * DAY);
    let young = node.key(&ada).await;

    let reap = |days: u32, dry_run| node.sakms.reap_unused(days * DAY, dry_run);
    assert!(reap(0, true).await.is_err());
    // As long as a flush takes elsewhere, nothing is certain.
    assert_eq!(reap(30, false).await.unwrap().keys, [] as [KeyId; 0]);
    node.clock.advance(lag + Duration::from_micros(1));
    let mut wanted = [idle.key.id, off.key.id];
    wanted.sort();
    for dry_run in [true, false] {
        let mut reaped = reap(30, dry_run).await.unwrap();
        reaped.keys.sort();
        assert_eq!((&reaped.keys[..], reaped.more), (&wanted[..], false));
        // Looked up, not checked: that would be a use.
        let revoked_at = node
            .store
            .get(idle.key.id)
            .await
            .unwrap()
            .unwrap()
            .revoked_at;
        assert_eq!(revoked_at.is_none(), dry_run);
    }
    assert_eq!(node.check(&idle.text).await, Err(KeyDenial::Revoked));
    let rows = node.journal().await;
    let by_system = rows.iter().filter(|row| row.entry.actor == Actor::SYSTEM);
    let by_system: Vec<_> = by_system.map(|row| row.entry.action.clone()).collect();
    assert_eq!(by_system, [Action::KEY_REVOKE, Action::KEY_REVOKE]);
    assert_eq!(node.check(&used.text).await, Ok(()));
    assert_eq!(node.check(&young.text).await, Ok(()));
    // Again, and on two nodes at once: nothing is left to do, and nothing is done twice.
    let before = node.journal().await.len();
    let other = Node::over(node.store.clone(), Arc::clone(&node.clock), |builder| {
        builder
    });
    let (here, there) = tokio::join!(reap(30, false), other.sakms.reap_unused(30 * DAY, false));
    assert_eq!(
        (here.unwrap().keys.len(), there.unwrap().keys.len()),
        (0, 0)
    );
    assert_eq!(node.journal().await.len(), before);
}

#[tokio::test]
async fn a_call_revokes_a_thousand_keys_and_says_that_there_are_more() {
    let node = Node::new(|builder| builder.hashing(quick()));
    let ada = owner("ada");
    for _ in 0..1_005 {
        node.key(&ada).await;
    }
    let mut selection = KeySelection::default();
    selection.whose = Whose::Of("ada".parse().unwrap());
    let first = node
        .sakms
        .revoke_keys(&ada, &selection, false)
        .await
        .unwrap();
    assert_eq!((first.keys.len(), first.more), (1_000, true));
    let second = node
        .sakms
        .revoke_keys(&ada, &selection, false)
        .await
        .unwrap();
    assert_eq!((second.keys.len(), second.more), (5, false));
    let mut request = ListRequest::default();
    request.selection.state = Some(KeyState::Active);
    assert!(
        node.sakms
            .list_keys(&ada, request)
            .await
            .unwrap()
            .keys
            .is_empty()
    );
}

/// What was done is written down: who did what to which key, and which fields.
#[tokio::test]
async fn every_change_of_a_key_is_in_the_journal() {
    let node = Node::new(|builder| builder);
    let (ada, admin) = (owner("ada"), Caller::admin("root".parse().unwrap()));
    let id = node.key(&ada).await.key.id;
    let mut change = KeyChange::default();
    change.scopes = Some("a:b".parse().unwrap());
    change.expires_at = Some(None);
    node.sakms.update_key(&admin, id, change).await.unwrap();
    node.sakms.disable_key(&ada, id).await.unwrap();
    node.sakms.enable_key(&ada, id).await.unwrap();
    node.sakms.rotate_key(&ada, id, None).await.unwrap();
    node.sakms.cancel_rotation(&ada, id).await.unwrap();
    node.sakms.revoke_key(&ada, id).await.unwrap();
    node.sakms
        .set_role(&admin, "r".parse().unwrap(), "a:b".parse().unwrap())
        .await
        .unwrap();
    node.sakms
        .remove_role(&admin, &"r".parse().unwrap())
        .await
        .unwrap();
    let rows = node.journal().await;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let subject = row.entry.subject.as_str().split(':').next().unwrap();
            (row.entry.actor.as_str(), row.entry.action.as_str(), subject)
        })
        .collect();
    let (ada, root) = ("owner:ada", "owner:root");
    assert_eq!(
        rows,
        [
            (ada, "key.create", "key"),
            (root, "key.update", "key"),
            (ada, "key.disable", "key"),
            (ada, "key.enable", "key"),
            (ada, "key.rotate", "key"),
            (ada, "key.keep_secret", "key"),
            (ada, "key.revoke", "key"),
            (root, "role.set", "role"),
            (root, "role.remove", "role"),
        ]
    );
    let update = &node.journal().await[1].entry.detail;
    assert_eq!(update, "fields=scopes,expires_at");
}

/// What one node acknowledged holds on another after it has read the journal.
#[tokio::test]
async fn a_rotation_holds_on_other_nodes() {
    let here = Node::new(|builder| builder);
    let there = Node::over(here.store.clone(), Arc::clone(&here.clock), |builder| {
        builder
    });
    let ada = owner("ada");
    let key = here.key(&ada).await;
    there.sakms.catch_up().await.unwrap();
    there.check(&key.text).await.unwrap();
    let zero = Some(Duration::ZERO);
    let new = here.sakms.rotate_key(&ada, key.key.id, zero).await.unwrap();
    assert_eq!(here.check(&key.text).await, Err(KeyDenial::Retired));
    there.sakms.catch_up().await.unwrap();
    assert_eq!(there.check(&key.text).await, Err(KeyDenial::Retired));
    assert_eq!(there.check(&new.text).await, Ok(()));
}
