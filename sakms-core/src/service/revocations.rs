//! What was put an end to, for services that check tokens by themselves.
//!
//! The journal is read a page at a time, from where a reader has come to. What a row means for tokens is decided here, so that
//! a reader needs one rule: a token is refused that was issued before the moment from which on tokens of its subject are good
//! (`OfflineVerifier`, docs/offline.md).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::error::Error;
use super::follow;
use super::{Inner, Sakms};
use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::journal::{Action, JournalHead, JournalQuery, JournalRow, Seq};
use crate::key::Owner;
use crate::token::{REMEMBERED, RevocationSubject};
use crate::verdict::Verdict;

/// How far the clocks of nodes may differ.
const CLOCKS: Duration = Duration::from_secs(5);

/// Up to where a reader has read: the number of a row, and its hash if the reader has it, without which another journal cannot
/// be told from this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedPosition {
    /// A row, by its number alone.
    Seq(Seq),
    /// A row.
    Head(JournalHead),
}

impl FromStr for FeedPosition {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        if let Ok(head) = text.parse() {
            return Ok(Self::Head(head));
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number
            .map(|number| Self::Seq(Seq::new(number)))
            .ok_or(InvalidPosition)
    }
}

/// The text is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPosition;

impl fmt::Display for InvalidPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be the `position` of an earlier answer")
    }
}

impl std::error::Error for InvalidPosition {}

/// The position is none of this journal: it lies beyond the end, or the database is another, one that was put back from a
/// backup say. What was read up to there may not hold: a reader begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionGone;

/// A part of what was put an end to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RevocationPage {
    /// What was, the oldest first.
    pub revocations: Vec<Revocation>,
    /// Up to where that is: what to go on from.
    pub position: JournalHead,
    /// Whether there is more now.
    pub more: bool,
}

/// A row of the journal that says that tokens are no longer good, or that new ones are.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Revocation {
    /// Its place.
    pub seq: Seq,
    /// When it was written.
    pub at: Timestamp,
    /// What it is about, in a word.
    pub kind: &'static str,
    /// From when on tokens are good that are of it; `None` when no token is.
    pub valid_from: Option<Timestamp>,
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "it is read where it is written out")
    )]
    pub(crate) subject: RevocationSubject,
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "it is read where it is written out")
    )]
    pub(crate) except: Option<RevocationSubject>,
}

impl Sakms {
    /// How many rows of the journal are looked at for a page at most.
    pub const MAX_FEED_ROWS: u32 = 500;

    /// What was put an end to since `after`; without it, since the longest-lived token that can still be good was issued. Reads
    /// up to `limit` rows of the journal, 1 to [`Sakms::MAX_FEED_ROWS`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit out of bounds; [`Error::Store`] when the journal could not be read.
    #[tracing::instrument(name = "sakms.revocations.list", skip_all)]
    pub async fn revocations(
        &self,
        after: Option<FeedPosition>,
        limit: u32,
    ) -> Result<Verdict<RevocationPage, PositionGone>, Error> {
        if !(1..=Self::MAX_FEED_ROWS).contains(&limit) {
            return Err(Error::field("limit", "must be between 1 and 500"));
        }
        let keys = &self.inner.keys;
        let after = match after {
            Some(after) => after,
            None => FeedPosition::Head(self.feed_start().await?),
        };
        let (seq, chain) = match after {
            FeedPosition::Seq(seq) => (seq, None),
            FeedPosition::Head(head) => (head.seq, Some(head.chain)),
        };
        // With the row that was read last, so that it shows whether it is still there.
        let known = Seq::new(seq.get().saturating_sub(1));
        let rows = keys.journal_after(known, limit.saturating_add(1)).await?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let Some(new) = follow::after(&rows, seq, chain) else {
            return Ok(Verdict::Denied(PositionGone));
        };
        let new = &new[..new.len().min(most)];
        // With nothing new it is the row that was read last.
        let reached = new.last().or(rows.first().filter(|_| seq != Seq::START));
        let position = reached.map_or(JournalHead::START, JournalHead::from);
        let margin = self.inner.follower.bound().saturating_add(CLOCKS);
        let revocations = new.iter().filter_map(|row| meaning(row, margin));
        Ok(Verdict::Granted(RevocationPage {
            revocations: revocations.collect(),
            position,
            more: new.len() >= most,
        }))
    }

    /// The last row of which no token can be left that it could matter to.
    async fn feed_start(&self) -> Result<JournalHead, Error> {
        let Inner { keys, clock, .. } = &*self.inner;
        let span = i64::try_from(REMEMBERED.as_micros()).unwrap_or(i64::MAX);
        let moment = clock.now().as_micros().saturating_sub(span);
        let mut query = JournalQuery::everything();
        query.until = Timestamp::from_micros(moment);
        if query.until.is_none() {
            return Ok(JournalHead::START);
        }
        query.limit = 1;
        let page = keys.journal(&query).await?;
        Ok(page
            .items
            .first()
            .map_or(JournalHead::START, JournalHead::from))
    }
}

/// What a row means for tokens. `margin` is for how long a node may go by what was before, and how far its clock may be off.
fn meaning(row: &JournalRow, margin: Duration) -> Option<Revocation> {
    let entry = &row.entry;
    let (action, at) = (&entry.action, entry.at);
    let make = |kind, subject, valid_from, except| Revocation {
        seq: row.seq,
        at,
        kind,
        valid_from,
        subject,
        except,
    };
    let anew = next_second(at.checked_add(margin).unwrap_or(Timestamp::MAX));
    if let Some(key) = entry.subject.as_key() {
        let subject = RevocationSubject::key(key);
        let of_key = |valid_from| Some(make("key", subject, valid_from, None));
        return if *action == Action::KEY_REVOKE || *action == Action::KEY_DISABLE {
            of_key(None)
        } else if *action == Action::KEY_ENABLE
            || *action == Action::KEY_KEEP_SECRET
            || (*action == Action::KEY_ROTATE && former_has_ended(&entry.detail, at))
        {
            of_key(Some(anew))
        } else {
            None
        };
    }
    if let Some(owner) = entry.subject.as_owner() {
        let subject = RevocationSubject::owner(&owner);
        return if *action == Action::OWNER_DISABLE {
            Some(make("owner", subject, None, None))
        } else if *action == Action::OWNER_ENABLE {
            Some(make("owner", subject, Some(anew), None))
        } else {
            None
        };
    }
    let account = entry.subject.as_account()?;
    // The store is asked for each new token of a session, so no node goes by what was before.
    let from = Some(next_second(at));
    let named = |word| {
        let id = word_of(&entry.detail, word)?.parse::<SessionId>().ok()?;
        Some(RevocationSubject::session(id))
    };
    let all = |kept| {
        let all = RevocationSubject::sessions(&Owner::from(account));
        Some(make("sessions", all, from, kept))
    };
    if *action == Action::SESSION_END {
        match named("session=") {
            Some(session) => Some(make("session", session, None, None)),
            // Whichever it was.
            None => all(None),
        }
    } else if [
        Action::SESSIONS_END,
        Action::ACCOUNT_PASSWORD,
        Action::ACCOUNT_RESET,
    ]
    .contains(action)
    {
        all(named("except="))
    } else {
        None
    }
}

/// The first whole second after a moment: tokens say when they were issued to the second, rounded down.
fn next_second(moment: Timestamp) -> Timestamp {
    let second = moment.as_secs().saturating_add(1).saturating_mul(1_000_000);
    Timestamp::from_micros(second).unwrap_or(Timestamp::MAX)
}

/// Whether the secret that a rotation replaced was refused from then on.
fn former_has_ended(detail: &str, at: Timestamp) -> bool {
    let until = word_of(detail, "former_until=").and_then(|text| Timestamp::parse(text).ok());
    until.is_none_or(|until| until <= at)
}

fn word_of<'a>(detail: &'a str, name: &str) -> Option<&'a str> {
    let mut words = detail.split(' ');
    words.find_map(|word| word.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccountId, EntryId, KeyId};
    use crate::journal::{Actor, JournalEntry, Subject};

    const AT: i64 = 1_795_000_000;

    fn row(action: Action, subject: Subject, detail: &str) -> JournalRow {
        let at = Timestamp::from_micros(AT * 1_000_000 + 300_000).unwrap();
        let id = EntryId::from_bytes([1; 16]);
        let entry = JournalEntry::from_parts(id, at, Actor::SYSTEM, action, subject, detail.into());
        JournalHead::START.append(entry)
    }

    fn of(action: Action, subject: &Subject, detail: &str) -> Option<(&'static str, Option<i64>)> {
        let found = meaning(
            &row(action, subject.clone(), detail),
            Duration::from_secs(10),
        )?;
        let seconds = found.valid_from.map(|from| {
            assert_eq!(from.as_micros() % 1_000_000, 0);
            from.as_secs() - AT
        });
        Some((found.kind, seconds))
    }

    #[test]
    fn what_a_row_means_for_tokens() {
        let (key, account) = (KeyId::from_bytes([3; 16]), AccountId::from_bytes([4; 16]));
        let session = SessionId::from_bytes([5; 16]);
        let (on, person) = (Subject::key(key), Subject::account(account));
        let owner = Subject::owner(&"ada".parse().unwrap());
        let action = |text: &str| Action::from_stored(text.to_owned());
        for (found, means) in [
            (of(Action::KEY_REVOKE, &on, ""), Some(("key", None))),
            (of(Action::KEY_DISABLE, &on, ""), Some(("key", None))),
            (of(Action::KEY_ENABLE, &on, ""), Some(("key", Some(11)))),
            (
                of(Action::KEY_KEEP_SECRET, &on, ""),
                Some(("key", Some(11))),
            ),
            (
                of(
                    Action::KEY_ROTATE,
                    &on,
                    "secret=x former_until=2020-01-01T00:00:00Z",
                ),
                Some(("key", Some(11))),
            ),
            (
                of(
                    Action::KEY_ROTATE,
                    &on,
                    "secret=x former_until=2099-01-01T00:00:00Z",
                ),
                None,
            ),
            (of(Action::KEY_CREATE, &on, ""), None),
            (of(Action::KEY_REFUSE, &on, ""), None),
            (of(Action::OWNER_DISABLE, &owner, ""), Some(("owner", None))),
            (
                of(Action::OWNER_ENABLE, &owner, ""),
                Some(("owner", Some(11))),
            ),
            (
                of(
                    action("session.end"),
                    &person,
                    &format!("session={session}"),
                ),
                Some(("session", None)),
            ),
            (
                of(action("session.end"), &person, ""),
                Some(("sessions", Some(1))),
            ),
            (
                of(action("sessions.end"), &person, ""),
                Some(("sessions", Some(1))),
            ),
            (
                of(Action::ACCOUNT_PASSWORD, &person, ""),
                Some(("sessions", Some(1))),
            ),
            (of(action("session.start"), &person, ""), None),
            (of(Action::ACCOUNT_REFUSE, &person, ""), None),
            (of(action("of.later"), &Subject::SERVICE, ""), None),
        ] {
            assert_eq!(found, means);
        }
        let detail = format!("x except={session}");
        let found = meaning(&row(action("sessions.end"), person, &detail), CLOCKS).unwrap();
        assert_eq!(found.except, Some(RevocationSubject::session(session)));
    }

    #[test]
    fn a_position_is_a_number_with_or_without_a_hash() {
        let head = row(Action::KEY_REVOKE, Subject::SERVICE, "");
        let head = JournalHead::from(&head);
        assert_eq!(head.to_string().parse(), Ok(FeedPosition::Head(head)));
        assert_eq!("17".parse(), Ok(FeedPosition::Seq(Seq::new(17))));
        for bad in ["", "-1", "+1", "1:", "1:ab", "x", "99999999999999999999"] {
            assert_eq!(bad.parse::<FeedPosition>(), Err(InvalidPosition), "{bad}");
        }
    }
}
