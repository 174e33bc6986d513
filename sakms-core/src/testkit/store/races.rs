//! The same thing by sixteen at once: one gets through, or all do, and nothing is lost.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::Fixture;
use super::support::{
    Issued, RACERS, accounts, decided, entries, find, get, issue_plain, journal, kind, list,
    one_got_through, race, reads, rename,
};
use crate::account::CanonicalEmail;
use crate::journal::JournalEntry;
use crate::key::{KeyPatch, KeyRecord, Revision, SecretUse};
use crate::store::{Conditions, KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

/// A race that is lost once in ten times is run more than once.
const ROUNDS: u32 = 6;

fn moment(racer: usize) -> crate::clock::Timestamp {
    fixtures::at(u64::try_from(racer).unwrap())
}

/// Of sixteen who change what they all saw, one does.
pub async fn one_of_many_updates_gets_through(fixture: &Fixture) {
    let store = &fixture.keys;
    let issued = issue_plain(&**store).await;
    let id = issued.key.id;
    for seen in (1..).map(Revision::new).take(ROUNDS as usize) {
        let before = entries(&**store).await;
        let outcomes = race(RACERS, |racer| {
            let (store, patch) = (Arc::clone(store), rename(&format!("racer {racer}")));
            let entry = fixtures::updated(id);
            async move {
                let outcome = decided(|| store.update(id, seen, &patch, &entry)).await;
                outcome.map(|changed| (changed, entry))
            }
        })
        .await;
        let (changed, entry) = one_got_through(outcomes, StoreErrorKind::Stale);
        assert_eq!(changed.revision, seen.next());
        reads(&**store, &changed, &issued.secret).await;
        assert_eq!(entries(&**store).await, [before, vec![entry]].concat());
    }
}

/// Looks and changes until nobody was faster.
async fn until_made(store: &dyn KeyStore, patch: &KeyPatch, entry: &JournalEntry) -> KeyRecord {
    let id = entry.subject.as_key().unwrap();
    // Who comes too late does so because another got through, and no race here has more changes than this.
    for _ in 0..10 * RACERS {
        let seen = get(store, id).await.revision;
        // The entry is the same each time: of an attempt that failed there is nothing left.
        match decided(|| store.update(id, seen, patch, entry)).await {
            Err(StoreErrorKind::Stale) => {}
            outcome => {
                let changed = outcome.unwrap();
                assert_eq!(changed.revision, seen.next(), "it was changed in between");
                return changed;
            }
        }
    }
    panic!("stale, though nobody else can have changed it any more");
}

/// Sixteen who look again when they come too late all make their change, each once.
pub async fn no_update_is_lost(fixture: &Fixture) {
    let store = &fixture.keys;
    let issued = issue_plain(&**store).await;
    let id = issued.key.id;
    let mut made = race(RACERS, |racer| {
        let (store, entry) = (Arc::clone(store), fixtures::updated(id));
        let patch = rename(&format!("racer {racer}"));
        async move { (until_made(&*store, &patch, &entry).await, entry) }
    })
    .await;
    made.sort_by_key(|(changed, _)| changed.revision);
    let revisions: Vec<_> = made
        .iter()
        .map(|(changed, _)| changed.revision.get())
        .collect();
    assert_eq!(revisions, (2..=17).collect::<Vec<_>>());
    let (last, _) = &made[RACERS - 1];
    reads(&**store, last, &issued.secret).await;
    // The journal has them in the order in which they were made.
    let in_order: Vec<_> = made.into_iter().map(|(_, entry)| entry).collect();
    assert_eq!(entries(&**store).await[1..], in_order);
}

/// Sixteen who revoke, each at another moment: all succeed, and the first in the journal is the one that stays.
pub async fn the_first_of_many_revocations_stays(fixture: &Fixture) {
    let store = &fixture.keys;
    let id = issue_plain(&**store).await.key.id;
    race(RACERS, |racer| {
        let (store, mut entry) = (Arc::clone(store), fixtures::updated(id));
        entry.at = moment(racer);
        let patch = KeyPatch::revoke(entry.at);
        async move { until_made(&*store, &patch, &entry).await }
    })
    .await;
    let (key, entries) = (get(&**store, id).await, entries(&**store).await);
    assert_eq!(key.revision, Revision::new(17));
    assert_eq!(entries.len(), 17);
    assert_eq!(key.revoked_at, Some(entries[1].at));
}

/// Of sixteen keys with one id, one is put in, with its own secret and no other.
pub async fn one_of_many_keys_takes_an_id(fixture: &Fixture) {
    let store = &fixture.keys;
    for _ in 0..ROUNDS {
        let (id, before) = (fixtures::key_id(), entries(&**store).await);
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                let mut key = fixtures::plain_key(&fixtures::owner());
                key.id = id;
                let secret = fixtures::secret(&key);
                (key, secret)
            })
            .collect();
        let outcomes = race(RACERS, |racer| {
            let (store, (key, secret)) = (Arc::clone(store), racers[racer].clone());
            let entry = fixtures::created(&key);
            async move {
                decided(|| store.insert(&key, &secret, &Conditions::NONE, &entry)).await?;
                Ok((racer, entry))
            }
        })
        .await;
        let (winner, entry) = one_got_through(outcomes, StoreErrorKind::Conflict);
        for (racer, (key, secret)) in racers.iter().enumerate() {
            if racer == winner {
                reads(&**store, key, secret).await;
            } else {
                assert_eq!(store.find(secret.id).await.unwrap(), None);
                assert_eq!(list(&**store, &key.owner).await, []);
            }
        }
        assert_eq!(entries(&**store).await, [before, vec![entry]].concat());
    }
}

/// Of sixteen keys with one secret's id, one is put in, and the others are not there at all.
pub async fn one_of_many_keys_takes_a_secret_id(fixture: &Fixture) {
    let store = &fixture.keys;
    for _ in 0..ROUNDS {
        let (id, before) = (fixtures::secret_id(), journal(&**store).await.len());
        let keys: Vec<_> = (0..RACERS)
            .map(|_| fixtures::plain_key(&fixtures::owner()))
            .collect();
        let outcomes = race(RACERS, |racer| {
            let (store, key) = (Arc::clone(store), keys[racer].clone());
            let (mut secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
            secret.id = id;
            async move {
                decided(|| store.insert(&key, &secret, &Conditions::NONE, &entry)).await?;
                Ok((key, secret))
            }
        })
        .await;
        let (key, secret) = one_got_through(outcomes, StoreErrorKind::Conflict);
        reads(&**store, &key, &secret).await;
        for other in keys.iter().filter(|other| other.id != key.id) {
            assert_eq!(store.get(other.id).await.unwrap(), None);
        }
        assert_eq!(journal(&**store).await.len(), before + 1);
    }
}

/// Of eight who rename a key and eight who give it another secret, all having seen the same, one gets through.
pub async fn one_of_many_different_changes_gets_through(fixture: &Fixture) {
    let store = &fixture.keys;
    let issued = issue_plain(&**store).await;
    let key = &issued.key;
    for seen in (1..).map(Revision::new).take(ROUNDS as usize) {
        let before = entries(&**store).await;
        let secrets: Vec<_> = (0..RACERS).map(|_| fixtures::secret(key)).collect();
        let outcomes = race(RACERS, |racer| {
            let (store, id, patch) = (Arc::clone(store), key.id, rename("faster"));
            let (secret, retired) = (secrets[racer].clone(), fixtures::at(1));
            let entry = fixtures::updated(id);
            async move {
                if racer % 2 == 0 {
                    decided(|| store.update(id, seen, &patch, &entry)).await?;
                } else {
                    decided(|| store.add_secret(id, seen, &secret, retired, None, &entry)).await?;
                }
                Ok((racer, entry))
            }
        })
        .await;
        let (winner, entry) = one_got_through(outcomes, StoreErrorKind::Stale);
        for (racer, secret) in secrets.iter().enumerate() {
            let added = racer == winner && racer % 2 == 1;
            let found = store.find(secret.id).await.unwrap();
            assert_eq!(
                found.is_some(),
                added,
                "racer {racer}, the winner is {winner}"
            );
        }
        assert_eq!(get(&**store, key.id).await.revision, seen.next());
        assert_eq!(entries(&**store).await, [before, vec![entry]].concat());
    }
}

/// Runs `call` until it has waited `waits` times, and gives it up then, as happens to a request whose client hangs
/// up. Whether it came to its end is not said: whoever gave up does not know either.
async fn give_up<T>(call: impl Future<Output = T>, waits: usize) {
    let (mut call, mut left) = (pin!(call), waits);
    poll_fn(|context| {
        left = left.saturating_sub(1);
        let ended = call.as_mut().poll(context).is_ready();
        if ended || left == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// A change that is given up at any point is made whole or not at all, and keeps nobody else from theirs.
pub async fn what_is_given_up_leaves_no_half(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (owner, other) = (fixtures::owner(), issue_plain(store).await);
    let changed = issue_plain(store).await;
    let (id, mut expected) = (changed.key.id, changed.key.clone());
    for waits in 1..=24 {
        let key = fixtures::plain_key(&owner);
        let (secret, created) = (fixtures::secret(&key), fixtures::created(&key));
        give_up(
            store.insert(&key, &secret, &Conditions::NONE, &created),
            waits,
        )
        .await;
        let (patch, updated) = (
            rename(&format!("given up after {waits}")),
            fixtures::updated(id),
        );
        give_up(store.update(id, expected.revision, &patch, &updated), waits).await;
        give_up(store.find(secret.id), waits).await;

        // What is on its way holds the journal: this waits for it to be committed or rolled back.
        let (settles, entry) = (KeyPatch::default(), fixtures::updated(other.key.id));
        until_made(store, &settles, &entry).await;
        let entries = entries(store).await;
        if entries.contains(&created) {
            reads(store, &key, &secret).await;
        } else {
            assert_eq!(
                store.get(key.id).await.unwrap(),
                None,
                "{waits}: without its entry"
            );
            assert_eq!(
                store.find(secret.id).await.unwrap(),
                None,
                "{waits}: without its key"
            );
        }
        if entries.contains(&updated) {
            patch.apply(&mut expected);
        }
        reads(store, &expected, &changed.secret).await;
    }
}

/// Uses and changes of the same keys at once: neither takes anything back of the other, and nobody is turned
/// away, in whatever order the keys are told.
pub async fn uses_and_changes_do_not_lose_each_other(fixture: &Fixture) {
    let store = &fixture.keys;
    let mut issued = Vec::new();
    for _ in 0..8 {
        issued.push(issue_plain(&**store).await);
    }
    race(RACERS, |racer| {
        let (store, id) = (Arc::clone(store), issued[racer % 8].key.id);
        let mut uses: Vec<_> = issued
            .iter()
            .map(|issued| SecretUse::new(issued.secret.id, 1, moment(racer)))
            .collect();
        uses.rotate_left(racer % 8);
        if racer % 3 == 0 {
            uses.reverse();
        }
        async move {
            for round in 0..3 {
                decided(|| store.record_uses(&uses)).await.unwrap();
                let (patch, entry) = (rename(&format!("round {round}")), fixtures::updated(id));
                until_made(&*store, &patch, &entry).await;
            }
        }
    })
    .await;
    for Issued { key, secret } in issued {
        let found = find(&**store, secret.id).await.key;
        assert_eq!(
            found.last_used_at,
            Some(moment(RACERS - 1)),
            "a use was lost"
        );
        assert_eq!(
            found.revision,
            Revision::new(1 + 2 * 3),
            "a change was lost"
        );
        assert_eq!(found.name, fixtures::name("round 2"));
        assert_eq!(get(&**store, key.id).await, found);
    }
}

/// Sixteen who disable and enable an owner of whom nothing is known yet all succeed; the last in the journal is
/// the one that counts.
pub async fn the_last_word_about_an_owner_counts(fixture: &Fixture) {
    let store = &fixture.keys;
    for _ in 0..ROUNDS {
        let (owner, before) = (fixtures::owner(), journal(&**store).await.len());
        race(RACERS, |racer| {
            let (store, owner) = (Arc::clone(store), owner.clone());
            let disabled_at = (racer % 4 != 0).then(|| moment(racer));
            let mut entry = fixtures::disabled(&owner);
            entry.detail = format!("{disabled_at:?}");
            async move {
                let change = || store.set_owner_disabled(&owner, disabled_at, &entry);
                decided(change).await.unwrap();
            }
        })
        .await;
        let (state, rows) = (
            store.owner_disabled_at(&owner).await.unwrap(),
            journal(&**store).await,
        );
        assert_eq!(rows.len(), before + RACERS);
        let last = rows.last().map(|row| row.entry.detail.clone());
        assert_eq!(Some(format!("{state:?}")), last);
    }
}

/// Of sixteen who register with one address, one does.
pub async fn one_of_many_accounts_takes_an_address(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    for round in 0..ROUNDS {
        let address = format!("racer.{round}@example.com");
        let address = CanonicalEmail::from_stored(address);
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                let mut account = fixtures::account();
                account.canonical_email = address.clone();
                account
            })
            .collect();
        let outcomes = race(RACERS, |racer| {
            let (store, account) = (Arc::clone(store), racers[racer].clone());
            let entry = fixtures::registered(&account);
            async move {
                decided(|| store.insert_account(&account, &entry)).await?;
                Ok((account, entry))
            }
        })
        .await;
        let (account, entry) = one_got_through(outcomes, StoreErrorKind::Conflict);
        let found = store.account_by_email(&address).await.unwrap();
        assert_eq!(found.as_ref(), Some(&account));
        for racer in racers {
            let there = racer.id == account.id;
            assert_eq!(store.account(racer.id).await.unwrap().is_some(), there);
        }
        let entries = entries(&*fixture.keys).await;
        assert_eq!(entries.len(), round as usize + 1);
        assert_eq!(entries.last(), Some(&entry));
    }
}

/// Of sixteen who change a password they all saw, one does.
pub async fn one_of_many_passwords_gets_through(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let account = fixtures::account();
    let id = account.id;
    let registered = store
        .insert_account(&account, &fixtures::registered(&account))
        .await;
    assert_eq!(kind(registered), Ok(()));
    for seen in (1..).map(Revision::new).take(ROUNDS as usize) {
        let before = journal(&*fixture.keys).await.len();
        let outcomes = race(RACERS, |_| {
            let (store, hash) = (Arc::clone(store), fixtures::hash());
            let entry = fixtures::password_changed(id);
            async move { decided(|| store.set_password(id, seen, &hash, &entry)).await }
        })
        .await;
        let changed = one_got_through(outcomes, StoreErrorKind::Stale);
        assert_eq!(changed.revision, seen.next());
        assert_eq!(store.account(id).await.unwrap(), Some(changed));
        assert_eq!(journal(&*fixture.keys).await.len(), before + 1);
    }
}
