//! The journal as somebody asks for it: who did what to what, and when; and what went with no change.

use super::Fixture;
use super::random::Random;
use super::support::{entries, issue, journal, kind};
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::journal::{Action, Actor, JournalEntry, JournalQuery, JournalRow, Seq, Subject};
use crate::key::Owner;
use crate::store::{KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

/// Texts that a collation could take for each other, or a pattern match.
const ACTORS: [&str; 8] = [
    "owner:ada",
    "owner:Ada",
    "owner:ada ",
    "owner:ad\u{e1}",
    "owner:ada\0",
    "owner:%",
    "owner:_da",
    "system",
];
const ACTIONS: [&str; 4] = ["key.create", "key.Create", "key_create", "key.create "];

fn entry_of(actor: &str, action: &str, subject: &Subject, at: Timestamp) -> JournalEntry {
    JournalEntry::from_parts(
        fixtures::entry_id(),
        at,
        Actor::from_stored(actor.into()),
        Action::from_stored(action.into()),
        subject.clone(),
        "noted".into(),
    )
}

/// Every page of what a query asks for, with `limit` rows on each.
async fn turn_pages(store: &dyn KeyStore, query: &JournalQuery, limit: u32) -> Vec<JournalRow> {
    let (mut found, mut query) = (Vec::new(), query.clone());
    query.limit = limit;
    loop {
        let page = store.journal(&query).await.unwrap();
        assert!(page.items.len() <= limit as usize, "a page is too long");
        assert!(
            !page.more || page.items.len() == limit as usize,
            "a page is too short"
        );
        query.before = page.items.last().map(|row| row.seq).or(query.before);
        found.extend(page.items);
        if !page.more {
            return found;
        }
    }
}

/// What is asked for is what matches, whatever the page's length, the newest first. `owned` says whose a row is.
async fn shows(
    store: &dyn KeyStore,
    query: &JournalQuery,
    owned: impl Fn(&Owner, &Subject) -> bool,
) -> usize {
    let mut expected = journal(store).await;
    expected.reverse();
    expected.retain(|row| {
        let asked = query.owner.as_ref();
        query.matches(row) && asked.is_none_or(|owner| owned(owner, &row.entry.subject))
    });
    for limit in [
        1 + u32::try_from(expected.len() / 3).unwrap(),
        JournalQuery::MAX_LIMIT,
    ] {
        let found = turn_pages(store, query, limit).await;
        assert_eq!(found, expected, "{query:?} by {limit}");
    }
    expected.len()
}

fn asking(change: impl FnOnce(&mut JournalQuery)) -> JournalQuery {
    let mut query = JournalQuery::everything();
    change(&mut query);
    query
}

/// For queries that name no owner.
fn nobodys(_: &Owner, _: &Subject) -> bool {
    unreachable!("no owner is asked for")
}

/// What was refused is written down: it takes a place of its own, and nothing else changes.
pub async fn a_note_is_a_row(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = super::support::issue_plain(store).await;
    let (first, second) = (
        fixtures::refused(issued.key.id),
        fixtures::refused(fixtures::key_id()),
    );
    store.note(&first).await.unwrap();
    store.note(&second).await.unwrap();
    assert_eq!(entries(store).await[1..], [first.clone(), second]);
    super::support::reads(store, &issued.key, &issued.secret).await;
    let before = journal(store).await;
    assert_eq!(
        kind(store.note(&first).await),
        Err(StoreErrorKind::Conflict)
    );
    assert_eq!(journal(store).await, before);
}

/// The rows come newest first, in pages that follow each other, as they are in the journal.
pub async fn the_newest_rows_come_first(fixture: &Fixture) {
    let store = &*fixture.keys;
    let everything = JournalQuery::everything();
    assert_eq!(store.journal(&everything).await.unwrap().items, []);
    for _ in 0..25 {
        store
            .note(&fixtures::refused(fixtures::key_id()))
            .await
            .unwrap();
    }
    assert_eq!(shows(store, &everything, nobodys).await, 25);
    for (before, limit, first, count, more) in [
        (None, 10, 25, 10, true),
        (Some(16), 10, 15, 10, true),
        (Some(6), 5, 5, 5, false),
        (Some(6), 4, 5, 4, true),
        (Some(1), 10, 0, 0, false),
        (Some(0), 10, 0, 0, false),
        (Some(26), 25, 25, 25, false),
        (Some(u64::MAX), 1, 25, 1, true),
        (Some(1 << 63), 100, 25, 25, false),
    ] {
        let mut query = everything.clone();
        query.before = before.map(Seq::new);
        query.limit = limit;
        let page = store.journal(&query).await.unwrap();
        let places: Vec<_> = page.items.iter().map(|row| row.seq.get()).collect();
        let expected: Vec<_> = (0..count).map(|place| first - place).collect();
        assert_eq!(places, expected, "{limit} before {before:?}");
        assert_eq!(page.more, more, "{limit} before {before:?}");
    }
}

/// Rows that are added while somebody turns the pages move no other.
pub async fn pages_of_the_journal_stand_still(fixture: &Fixture) {
    let store = &*fixture.keys;
    let note = async || {
        let entry = fixtures::refused(fixtures::key_id());
        store.note(&entry).await.unwrap();
    };
    for _ in 0..9 {
        note().await;
    }
    let (mut seen, mut query) = (Vec::new(), asking(|query| query.limit = 3));
    for round in 0..3 {
        let page = store.journal(&query).await.unwrap();
        assert_eq!(page.more, round < 2, "round {round}");
        seen.extend(page.items.iter().map(|row| row.seq.get()));
        query.before = page.items.last().map(|row| row.seq);
        note().await;
    }
    assert_eq!(seen, (1..=9).rev().collect::<Vec<_>>());
}

/// Who, what and to what are compared to the letter; from a moment on, and before another.
pub async fn each_question_is_answered(fixture: &Fixture) {
    let store = &*fixture.keys;
    let subjects: Vec<_> = ["key:", "KEY:", "key: ", "role:a_b", "role:axb", "service"]
        .map(|text| Subject::from_stored(text.into()))
        .into();
    let mut moment = 0;
    for actor in ACTORS {
        for (action, subject) in ACTIONS
            .into_iter()
            .zip(subjects.iter().cycle().skip(moment))
        {
            let at = fixtures::at((moment % 8) as u64);
            store
                .note(&entry_of(actor, action, subject, at))
                .await
                .unwrap();
            moment += 1;
        }
    }
    for actor in ACTORS {
        let query = asking(|query| query.actor = Some(actor.to_owned()));
        assert_eq!(shows(store, &query, nobodys).await, ACTIONS.len());
    }
    for action in ACTIONS {
        let query = asking(|query| query.action = Some(action.to_owned()));
        assert_eq!(shows(store, &query, nobodys).await, ACTORS.len());
    }
    for subject in &subjects {
        let query = asking(|query| query.subject = Some(subject.as_str().to_owned()));
        assert!(shows(store, &query, nobodys).await > 0);
    }
    for nothing in ["", "owner", "key.create", "' OR 1=1 --", "\0"] {
        let query = asking(|query| query.actor = Some(nothing.to_owned()));
        assert_eq!(shows(store, &query, nobodys).await, 0, "{nothing:?}");
    }
    let mut found = 0;
    for from in 0..=8 {
        let query = asking(|query| query.from = Some(fixtures::at(from)));
        found += shows(store, &query, nobodys).await;
        let query = asking(|query| query.until = Some(fixtures::at(from)));
        found += shows(store, &query, nobodys).await;
    }
    // Each row is either from a moment on or before it.
    assert_eq!(found, 9 * moment);
    for (from, until, expected) in [
        (Timestamp::EPOCH, Timestamp::MAX, moment),
        (fixtures::at(3), fixtures::at(3), 0),
        (fixtures::at(5), fixtures::at(3), 0),
        (fixtures::at(3), fixtures::at(4), moment / 8),
    ] {
        let query = asking(|query| (query.from, query.until) = (Some(from), Some(until)));
        assert_eq!(shows(store, &query, nobodys).await, expected);
    }
}

/// A row at the first or the last moment is found there; nothing is before the one or in the time after the other.
pub async fn rows_are_found_at_any_moment(fixture: &Fixture) {
    let store = &*fixture.keys;
    for at in [Timestamp::MAX, Timestamp::EPOCH] {
        store
            .note(&entry_of("a", "b", &Subject::SERVICE, at))
            .await
            .unwrap();
        let query = asking(|query| query.from = Some(at));
        assert_eq!(turn_pages(store, &query, 10).await[0].entry.at, at);
    }
    let before = asking(|query| query.until = Some(Timestamp::EPOCH));
    assert_eq!(shows(store, &before, nobodys).await, 0);
    let before = asking(|query| query.until = Some(Timestamp::MAX));
    assert_eq!(shows(store, &before, nobodys).await, 1);
}

/// A row is its subject's: the owner's own, that of the owner an account is, and that of the owner of a key.
pub async fn a_row_is_whose_its_subject_is(fixture: &Fixture) {
    let store = &*fixture.keys;
    let account = fixtures::account_id();
    let (ada, anna) = ("ada".parse::<Owner>().unwrap(), Owner::from(account));
    let mut owners = vec![anna.clone(), fixtures::owner()];
    owners.extend(super::owners::LOOKALIKES.map(|owner| owner.parse().unwrap()));
    let key = issue(store, fixtures::plain_key(&ada)).await.key.id;
    let annas = issue(store, fixtures::plain_key(&anna)).await.key.id;
    for subject in [
        Subject::key(fixtures::key_id()),
        Subject::SERVICE,
        Subject::role(&"ada".parse().unwrap()),
        Subject::account(fixtures::account_id()),
        Subject::account(account),
        Subject::key(key),
        Subject::key(annas),
        Subject::owner(&anna),
        // What only looks like one of them.
        Subject::from_stored("key:ada".into()),
        Subject::from_stored("account:ada".into()),
        Subject::from_stored("ada".into()),
        Subject::from_stored("Owner:ada".into()),
        Subject::from_stored("role:owner:ada".into()),
    ] {
        store
            .note(&entry_of("system", "a", &subject, fixtures::at(1)))
            .await
            .unwrap();
    }
    for owner in super::owners::LOOKALIKES {
        let owner: Owner = owner.parse().unwrap();
        let entry = fixtures::disabled(&owner);
        store
            .set_owner_disabled(&owner, Some(fixtures::at(1)), &entry)
            .await
            .unwrap();
    }
    let key_owner = |id: KeyId| match id {
        _ if id == key => Some(&ada),
        _ if id == annas => Some(&anna),
        _ => None,
    };
    let owned = |owner: &Owner, subject: &Subject| {
        let of_key = subject.as_key().and_then(key_owner);
        of_key == Some(owner)
            || *subject == Subject::owner(owner)
            || subject.as_account().map(Owner::from).as_ref() == Some(owner)
    };
    for owner in owners {
        let query = asking(|query| query.owner = Some(owner.clone()));
        let expected = match &owner {
            // A creation, a note about the key, and that they were disabled.
            _ if owner == ada => 3,
            // A creation, and notes about the account, the key and the owner.
            _ if owner == anna => 4,
            _ if super::owners::LOOKALIKES.contains(&owner.as_str()) => 1,
            _ => 0,
        };
        assert_eq!(shows(store, &query, owned).await, expected, "{owner:?}");
    }
}

/// Questions together give the rows that answer all of them, from any place on.
pub async fn questions_are_answered_together(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut random = Random::new(3);
    let owners = [fixtures::owner(), fixtures::owner()];
    let mut subjects = vec![Subject::SERVICE];
    let mut keys = Vec::new();
    for owner in &owners {
        let key = issue(store, fixtures::plain_key(owner)).await.key;
        subjects.extend([Subject::key(key.id), Subject::owner(owner)]);
        keys.push((key.id, key.owner));
    }
    for _ in 0..80 {
        let random = &mut random;
        let (actor, action) = (random.one_of(&ACTORS[..3]), random.one_of(&ACTIONS[..2]));
        let (subject, at) = (
            random.one_of(&subjects).clone(),
            fixtures::at(random.below(8)),
        );
        store
            .note(&entry_of(actor, action, &subject, at))
            .await
            .unwrap();
    }
    let owned = |owner: &Owner, subject: &Subject| {
        let of_key = keys
            .iter()
            .any(|(id, of)| of == owner && *subject == Subject::key(*id));
        of_key || *subject == Subject::owner(owner)
    };
    let mut found = 0;
    for _ in 0..80 {
        let random = &mut random;
        let query = asking(|query| {
            query.owner = random.once_in(2).then(|| random.one_of(&owners).clone());
            query.actor = random
                .once_in(3)
                .then(|| (*random.one_of(&ACTORS[..3])).to_owned());
            query.action = random
                .once_in(3)
                .then(|| (*random.one_of(&ACTIONS[..2])).to_owned());
            query.subject = random
                .once_in(4)
                .then(|| random.one_of(&subjects).to_string());
            query.from = random.once_in(3).then(|| fixtures::at(random.below(8)));
            query.until = random.once_in(3).then(|| fixtures::at(random.below(9)));
            query.before = random.once_in(3).then(|| Seq::new(random.below(90)));
        });
        found += shows(store, &query, owned).await;
    }
    assert!(found > 80, "the questions have answers");
}
