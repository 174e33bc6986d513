//! What is kept for a while, listed by kind and owner, and removed with its owner or its time.

use super::Fixture;
use super::states::{entry, kept, read, session_of, stands};
use super::support::{entries, journal, states};
use crate::clock::Timestamp;
use crate::store::{StateId, StateKind};
use crate::testkit::fixtures;

/// Owners that a store could take for each other.
const LOOKALIKES: [&str; 10] = [
    "ada", "Ada", "ADA", "ada ", "ada\0", "ada\t", "àda", "ａda", "аda", "adа",
];

/// The newest come first, of the same moment those with the greatest id; as many as are asked for, and of one kind.
pub async fn the_newest_come_first(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let owners = [Some(fixtures::owner()), Some(fixtures::owner()), None];
    let mut all = Vec::new();
    for number in 0..24_usize {
        let of_kind = [StateKind::Session, StateKind::Throttle][number / 12];
        let mut record = fixtures::state(of_kind, owners[number % 3].clone());
        // In no order, and four at each moment; made later, and ended earlier.
        let moment = u64::try_from(number * 7 % 3).unwrap();
        record.created_at = fixtures::at(moment);
        record.expires_at = fixtures::at(1_000 - moment);
        let mut id = *record.id.as_bytes();
        id[0] = u8::try_from(number * 151 % 256).unwrap();
        record.id = StateId::from_bytes(id);
        all.push(kept(&**store, record).await);
    }
    all.sort_by_key(|record| std::cmp::Reverse((record.created_at, record.id)));
    for of_kind in StateKind::ALL {
        for owner in [None, owners[0].as_ref(), owners[1].as_ref()] {
            let expected: Vec<_> = all
                .iter()
                .filter(|record| record.kind == of_kind)
                .filter(|record| owner.is_none_or(|owner| record.owner.as_ref() == Some(owner)))
                .cloned()
                .collect();
            for limit in [0, 1, 3, 11, 12, 13, u32::MAX] {
                let found = store.states(of_kind, owner, limit).await.unwrap();
                let most = expected.len().min(usize::try_from(limit).unwrap());
                assert_eq!(found, expected[..most], "{of_kind} {owner:?} {limit}");
            }
        }
    }
}

/// Owners are who they are to the letter: nobody sees or ends what is another's.
pub async fn owners_of_what_is_kept_are_told_apart(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let mut all = Vec::new();
    for name in LOOKALIKES {
        all.push(session_of(&**store, &name.parse().unwrap()).await);
    }
    for record in &all {
        let owner = record.owner.as_ref().unwrap();
        let found = store.states(record.kind, Some(owner), 99).await.unwrap();
        assert_eq!(found, std::slice::from_ref(record), "{owner:?}");
    }
    while let Some(record) = all.pop() {
        let owner = record.owner.as_ref().unwrap();
        let removed = store
            .remove_states(record.kind, owner, None, Some(&entry()))
            .await;
        assert_eq!(removed.unwrap(), 1, "{owner:?}");
        let left = store.states(record.kind, None, 99).await.unwrap();
        assert_eq!(left.len(), all.len(), "{owner:?}");
        for other in &all {
            assert!(left.contains(other));
        }
    }
}

/// An owner's are removed but for one; other owners', other kinds', and what is nobody's stay.
pub async fn an_owners_are_removed_but_for_one(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let (owner, another) = (fixtures::owner(), fixtures::owner());
    let mine = [(); 5].map(|()| fixtures::state(StateKind::Session, Some(owner.clone())));
    for record in &mine {
        kept(&**store, record.clone()).await;
    }
    let mut code = fixtures::state(StateKind::Code, Some(owner.clone()));
    code.id = mine[0].id;
    let others = [
        code,
        fixtures::state(StateKind::Session, Some(another)),
        fixtures::state(StateKind::Session, None),
    ];
    for record in &others {
        kept(&**store, record.clone()).await;
    }
    let remove = async |except| {
        let entry = entry();
        let removed = store
            .remove_states(StateKind::Session, &owner, except, Some(&entry))
            .await;
        assert_eq!(entries(&*fixture.keys).await.last(), Some(&entry));
        for record in &others {
            stands(&**store, record).await;
        }
        removed.unwrap()
    };
    assert_eq!(remove(Some(mine[2].id)).await, 4);
    stands(&**store, &mine[2]).await;
    for gone in [0, 1, 3, 4] {
        assert_eq!(read(&**store, &mine[gone]).await, None);
    }
    assert_eq!(
        remove(Some(mine[2].id)).await,
        0,
        "it is written all the same"
    );
    // One that is nobody's of them spares nothing.
    assert_eq!(remove(Some(others[1].id)).await, 1);
    assert_eq!(read(&**store, &mine[2]).await, None);
    assert_eq!(remove(None).await, 0);
    assert_eq!(journal(&*fixture.keys).await.len(), 4);
}

/// What ended before a moment is forgotten, of every kind; what ends then or later is kept.
pub async fn what_has_ended_is_forgotten(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let (just_before, moment) = (fixtures::at(49), fixtures::at(50));
    let mut all = Vec::new();
    for of_kind in StateKind::ALL {
        for expires_at in [Timestamp::EPOCH, just_before, moment, Timestamp::MAX] {
            let mut record = fixtures::state(of_kind, None);
            record.expires_at = expires_at;
            all.push(kept(&**store, record).await);
        }
    }
    store.forget_states(Timestamp::EPOCH).await.unwrap();
    for record in &all {
        stands(&**store, record).await;
    }
    store.forget_states(moment).await.unwrap();
    for record in &all {
        let expected = (record.expires_at >= moment).then(|| record.clone());
        assert_eq!(read(&**store, record).await, expected);
    }
    assert_eq!(journal(&*fixture.keys).await, []);
}
