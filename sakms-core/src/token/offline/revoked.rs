//! What is remembered of revocations: as much as there is room for, and never too little.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::Deserialize;

use super::REMEMBERED;
use super::subject::RevocationSubject;
use crate::clock::Timestamp;
use crate::token::Claims;

/// For how long after it something that has ended may still be exchanged by a node that has not heard of it, and how far
/// clocks may differ beside.
const SLACK: Duration = Duration::from_mins(2);

/// One revocation, as it is read.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Revocation {
    at: Timestamp,
    subject: RevocationSubject,
    /// Tokens of it that were issued at this moment or later are good; none is, without it.
    valid_from: Option<Timestamp>,
    /// Of every session of an owner, the one that goes on.
    #[serde(default)]
    except: Option<RevocationSubject>,
}

/// The last word on everything of which there was one lately.
#[derive(Debug)]
pub(super) struct RevokedSet {
    by_subject: HashMap<RevocationSubject, Revocation>,
    by_age: BTreeSet<(Timestamp, RevocationSubject)>,
    most: usize,
    /// Of what was forgotten for want of room no token is older: all that were issued before are refused.
    floor: Timestamp,
}

impl RevokedSet {
    pub(super) fn new(most: usize) -> Self {
        Self {
            by_subject: HashMap::new(),
            by_age: BTreeSet::new(),
            most,
            floor: Timestamp::EPOCH,
        }
    }

    /// An empty one with as much room.
    pub(super) fn anew(&self) -> Self {
        Self::new(self.most)
    }

    pub(super) fn apply(&mut self, revocation: Revocation) {
        let (at, subject) = (revocation.at, revocation.subject);
        if let Some(former) = self.by_subject.insert(subject, revocation) {
            self.by_age.remove(&(former.at, subject));
        }
        self.by_age.insert((at, subject));
        while self.by_subject.len() > self.most {
            let Some(forgotten) = self.take_oldest() else {
                return;
            };
            let after = |moment: Timestamp| moment.checked_add(SLACK).unwrap_or(Timestamp::MAX);
            let since = forgotten.valid_from.unwrap_or_else(|| after(forgotten.at));
            self.floor = self.floor.max(since);
        }
    }

    /// Forgets that of which no token can be left.
    pub(super) fn prune(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.by_age.first() {
            if now.since(*at) < REMEMBERED {
                return;
            }
            self.take_oldest();
        }
    }

    fn take_oldest(&mut self) -> Option<Revocation> {
        let (_, subject) = self.by_age.pop_first()?;
        self.by_subject.remove(&subject)
    }

    /// Whether what a token is of was put an end to after it was issued.
    pub(super) fn refuses(&self, claims: &Claims) -> bool {
        let issued = claims.issued_at();
        if issued < self.floor {
            return true;
        }
        let session = claims.session().map(RevocationSubject::session);
        let refused_by = |subject: RevocationSubject| {
            let Some(last) = self.by_subject.get(&subject) else {
                return false;
            };
            let goes_on = last.except.is_some() && last.except == session;
            !goes_on && last.valid_from.is_none_or(|from| issued < from)
        };
        let owner = claims.subject();
        refused_by(RevocationSubject::owner(owner))
            || match claims.key() {
                Some(key) => refused_by(RevocationSubject::key(key)),
                None => {
                    refused_by(RevocationSubject::sessions(owner))
                        || session.is_some_and(refused_by)
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{KeyId, SessionId};
    use crate::key::{Owner, ScopeSet};
    use crate::token::KeyGrant;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    fn claims(owner: &str, issued: i64) -> Claims {
        let owner: Owner = owner.parse().unwrap();
        let text = || "x".to_owned();
        Claims::new(owner, text(), text(), at(issued), at(issued + 300), text())
    }

    fn of_key(number: u8, issued: i64) -> Claims {
        let grant = KeyGrant::new(KeyId::from_bytes([number; 16]), ScopeSet::default());
        claims("ada", issued).of_key(grant)
    }

    fn about(subject: RevocationSubject, when: i64, valid_from: Option<i64>) -> Revocation {
        Revocation {
            at: at(when),
            subject,
            valid_from: valid_from.map(at),
            except: None,
        }
    }

    fn key(number: u8) -> RevocationSubject {
        RevocationSubject::key(KeyId::from_bytes([number; 16]))
    }

    #[test]
    fn the_last_word_counts() {
        let mut set = RevokedSet::new(10);
        assert!(!set.refuses(&of_key(1, 100)));
        set.apply(about(key(1), 100, None));
        for issued in [0, 100, 10_000] {
            assert!(set.refuses(&of_key(1, issued)), "{issued}");
            assert!(!set.refuses(&of_key(2, issued)), "{issued}");
        }
        set.apply(about(key(1), 200, Some(211)));
        assert!(set.refuses(&of_key(1, 210)) && !set.refuses(&of_key(1, 211)));
        set.apply(about(key(1), 300, None));
        assert!(set.refuses(&of_key(1, 1_000)));
    }

    #[test]
    fn an_owner_is_all_they_hold_and_a_session_is_no_key() {
        let (ada, mine, other) = (
            "ada".parse().unwrap(),
            SessionId::from_bytes([1; 16]),
            SessionId::from_bytes([2; 16]),
        );
        let mut set = RevokedSet::new(10);
        set.apply(about(RevocationSubject::session(mine), 100, None));
        assert!(set.refuses(&claims("ada", 50).of_session(mine)));
        assert!(!set.refuses(&claims("ada", 50).of_session(other)));

        let mut set = RevokedSet::new(10);
        set.apply(Revocation {
            except: Some(RevocationSubject::session(mine)),
            ..about(RevocationSubject::sessions(&ada), 100, Some(101))
        });
        assert!(!set.refuses(&claims("ada", 50).of_session(mine)));
        assert!(set.refuses(&claims("ada", 50).of_session(other)));
        // Of which session it is nobody knows.
        assert!(set.refuses(&claims("ada", 50)));
        assert!(!set.refuses(&claims("ada", 101).of_session(other)));
        assert!(!set.refuses(&claims("bob", 50)));
        assert!(!set.refuses(&of_key(1, 50)));
        set.apply(about(RevocationSubject::owner(&ada), 100, None));
        assert!(set.refuses(&of_key(1, 200)));
        assert!(set.refuses(&claims("ada", 200).of_session(mine)));
    }

    #[test]
    fn what_there_is_no_room_for_is_refused_with_all_that_is_as_old() {
        let mut set = RevokedSet::new(2);
        for number in 1..=3 {
            set.apply(about(key(number), 1_000 * i64::from(number), None));
        }
        assert_eq!(set.by_subject.len(), 2);
        assert!(set.refuses(&of_key(1, 1_000)) && set.refuses(&of_key(1, 1_119)));
        assert!(set.refuses(&of_key(9, 1_119)) && !set.refuses(&of_key(9, 1_120)));
        assert!(set.refuses(&of_key(2, 5_000)) && set.refuses(&of_key(3, 5_000)));
        // The same again takes no room.
        set.apply(about(key(3), 4_000, None));
        assert!(set.refuses(&of_key(2, 5_000)));
        assert_eq!((set.by_subject.len(), set.by_age.len()), (2, 2));
    }

    #[test]
    fn what_can_matter_no_more_is_forgotten() {
        let mut set = RevokedSet::new(10);
        set.apply(about(key(1), 1_000, None));
        set.apply(about(key(2), 2_000, None));
        let day = 25 * 3_600;
        set.prune(at(1_000 + day - 1));
        assert!(set.refuses(&of_key(1, 1_000)));
        set.prune(at(1_000 + day));
        assert!(!set.refuses(&of_key(1, 1_000)) && set.refuses(&of_key(2, 1_000)));
        assert_eq!((set.by_subject.len(), set.by_age.len()), (1, 1));
    }
}
