//! Whether the chain of the journal holds, and if not, where and how it is broken.

use std::fmt;

use super::walk::JournalWalk;
use crate::journal::{JournalHead, JournalRow, Seq};
use crate::service::error::Error;
use crate::store::{KeyStore, StoreError};
use crate::verdict::Verdict;

/// How far a check of the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalProgress {
    /// The last row that was held against the chain.
    pub checked: Seq,
    /// Where it ends.
    pub end: Seq,
}

/// What is wrong with a journal, at the first place where something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalFlaw {
    /// There is no row at this place, and none elsewhere that belongs there.
    Missing(Seq),
    /// The row that belongs at `at` stands at `stands_at`.
    Moved {
        /// Where it belongs.
        at: Seq,
        /// Where it is.
        stands_at: Seq,
    },
    /// The row at this place does not follow from those before it: it was changed after it was written, or the row
    /// before it was, together with its hash.
    Changed(Seq),
    /// The rows end at this place with another hash than the head says: the last row was changed together with its hash,
    /// or the head was.
    HeadDiffers(Seq),
    /// There is a row at this place, past the head.
    BeyondHead(Seq),
    /// The journal ends at `ends_at`; it went on to `known` once.
    Shortened {
        /// Where it ends.
        ends_at: Seq,
        /// Where it ended before.
        known: Seq,
    },
    /// The rows follow each other, but not to the head that was noted earlier: the journal up to this place was written
    /// anew.
    Rewritten(Seq),
}

impl JournalFlaw {
    /// The first place where something is wrong.
    #[must_use]
    pub const fn at(&self) -> Seq {
        match *self {
            Self::Missing(at)
            | Self::Moved { at, .. }
            | Self::Changed(at)
            | Self::HeadDiffers(at)
            | Self::BeyondHead(at)
            | Self::Rewritten(at) => at,
            Self::Shortened { ends_at, .. } => ends_at.next(),
        }
    }
}

impl fmt::Display for JournalFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(at) => write!(f, "row {at} is missing"),
            Self::Moved { at, stands_at } => {
                write!(f, "row {at} was moved: it stands at {stands_at}")
            }
            Self::Changed(at) => write!(
                f,
                "row {at} was changed: it does not follow from the rows before it"
            ),
            Self::HeadDiffers(at) => write!(
                f,
                "row {at} is the last one, and the head says that another was"
            ),
            Self::BeyondHead(at) => write!(f, "row {at} is past the head of the journal"),
            Self::Shortened { ends_at, known } => write!(
                f,
                "the journal ends at row {ends_at}; it had {known} rows when its head was noted"
            ),
            Self::Rewritten(at) => write!(
                f,
                "row {at} is not the one whose hash was noted: the journal up to it was written anew"
            ),
        }
    }
}

impl std::error::Error for JournalFlaw {}

impl JournalWalk<'_> {
    /// Walks the journal and holds it against its chain, as
    /// [`Sakms::verify_journal`](crate::service::Sakms::verify_journal) does, for whoever has a store and no keys.
    ///
    /// # Errors
    /// [`Error::Store`] when it could not be read.
    pub async fn verify(
        store: &dyn KeyStore,
        known: Option<JournalHead>,
        progress: impl FnMut(JournalProgress) + Send,
    ) -> Result<Verdict<JournalHead, JournalFlaw>, Error> {
        check(store, known, progress).await
    }
}

/// Walks the journal and gives its head, or what is wrong with it.
pub(super) async fn check(
    store: &dyn KeyStore,
    known: Option<JournalHead>,
    mut progress: impl FnMut(JournalProgress) + Send,
) -> Result<Verdict<JournalHead, JournalFlaw>, Error> {
    let mut walk = JournalWalk::begin(store).await?;
    let end = walk.head();
    let mut chain = Chain::new(known);
    while let Some(rows) = walk.next_rows().await? {
        if let Some(flaw) = chain.take(&rows) {
            return Ok(Verdict::Denied(flaw));
        }
        progress(JournalProgress {
            checked: chain.here.seq,
            end: end.seq,
        });
    }
    if let Some(flaw) = chain.ends(end) {
        return Ok(Verdict::Denied(flaw));
    }
    Ok(match beyond(store, end).await? {
        Some(flaw) => Verdict::Denied(flaw),
        None => Verdict::Granted(end),
    })
}

/// A row past the end that the head does not count. What others wrote meanwhile, it does.
async fn beyond(store: &dyn KeyStore, end: JournalHead) -> Result<Option<JournalFlaw>, StoreError> {
    // The row first: a head that is read later counts every row that was there before.
    let rows = store.journal_after(end.seq, 1).await?;
    let now = store.journal_head().await?;
    let uncounted = rows.first().filter(|row| now.seq < row.seq);
    Ok(uncounted.map(|row| JournalFlaw::BeyondHead(row.seq)))
}

/// The rows so far, held against each other.
struct Chain {
    /// The last row that follows.
    here: JournalHead,
    known: Option<JournalHead>,
    /// Once a row does not follow: whether there is one in its place. The rest is searched for the one that belongs there.
    broken: Option<bool>,
}

impl Chain {
    const fn new(known: Option<JournalHead>) -> Self {
        Self {
            here: JournalHead::START,
            known,
            broken: None,
        }
    }

    /// The next rows. Gives what is wrong as soon as that is certain.
    fn take(&mut self, mut rows: &[JournalRow]) -> Option<JournalFlaw> {
        let at = |chain: &Self| chain.here.seq.next();
        while let (None, [row, rest @ ..]) = (self.broken, rows) {
            if row.seq != at(self) || !self.belongs(row) {
                self.broken = Some(row.seq == at(self));
                break;
            }
            self.here = JournalHead::from(row);
            if self.contradicts_known() {
                return Some(JournalFlaw::Rewritten(row.seq));
            }
            rows = rest;
        }
        self.broken?;
        let found = rows.iter().find(|row| self.belongs(row))?;
        Some(JournalFlaw::Moved {
            at: at(self),
            stands_at: found.seq,
        })
    }

    /// Whether `row` is the one that was written next, wherever it stands now.
    fn belongs(&self, row: &JournalRow) -> bool {
        row.chain == self.here.chain.next(self.here.seq.next(), &row.entry)
    }

    fn contradicts_known(&self) -> bool {
        self.known
            .is_some_and(|known| known.seq == self.here.seq && known != self.here)
    }

    /// What is wrong, when there are no more rows and the store says that `end` is the head.
    fn ends(&self, end: JournalHead) -> Option<JournalFlaw> {
        let next = self.here.seq.next();
        match (self.broken, self.known) {
            (Some(true), _) => Some(JournalFlaw::Changed(next)),
            (Some(false), _) => Some(JournalFlaw::Missing(next)),
            (None, Some(known)) if known.seq > end.seq => Some(JournalFlaw::Shortened {
                ends_at: end.seq,
                known: known.seq,
            }),
            // The head of an empty journal is compared with no row.
            (None, _) if self.contradicts_known() => Some(JournalFlaw::Rewritten(self.here.seq)),
            (None, _) if self.here.seq != end.seq => Some(JournalFlaw::Missing(next)),
            (None, _) if self.here != end => Some(JournalFlaw::HeadDiffers(end.seq)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::EntryId;
    use crate::journal::{Action, Actor, ChainHash, JournalEntry, Subject};

    fn rows(count: u8) -> Vec<JournalRow> {
        let mut head = JournalHead::START;
        let entry = |number: u8| {
            let id = EntryId::from_bytes([number; 16]);
            let (actor, subject) = (Actor::SYSTEM, Subject::SERVICE);
            let detail = format!("number {number}");
            JournalEntry::from_parts(
                id,
                Timestamp::EPOCH,
                actor,
                Action::KEY_CREATE,
                subject,
                detail,
            )
        };
        let row = |number| {
            let row = head.append(entry(number));
            head = JournalHead::from(&row);
            row
        };
        (0..count).map(row).collect()
    }

    fn head(rows: &[JournalRow]) -> JournalHead {
        rows.last().map_or(JournalHead::START, JournalHead::from)
    }

    /// What is wrong with these rows, read in pages of any size.
    fn flaw(
        rows: &[JournalRow],
        end: JournalHead,
        known: Option<JournalHead>,
    ) -> Option<JournalFlaw> {
        let by_pages_of = |size: usize| {
            let mut chain = Chain::new(known);
            let found = rows.chunks(size).find_map(|page| chain.take(page));
            found.or_else(|| chain.ends(end))
        };
        let flaw = by_pages_of(1_000);
        for size in 1..=rows.len() {
            assert_eq!(by_pages_of(size), flaw, "pages of {size}");
        }
        flaw
    }

    #[test]
    fn what_is_wrong_is_named_where_it_begins() {
        let seq = Seq::new;
        let good = rows(9);
        let end = head(&good);
        let without_head = |change: &dyn Fn(&mut Vec<JournalRow>)| {
            let mut rows = good.clone();
            change(&mut rows);
            flaw(&rows, end, None)
        };
        assert_eq!(without_head(&|_| {}), None);
        let changed = Some(JournalFlaw::Changed(seq(5)));
        assert_eq!(
            without_head(&|rows| rows[4].entry.detail.push('!')),
            changed
        );
        assert_eq!(
            without_head(&|rows| rows[4].entry.at = Timestamp::MAX),
            changed
        );
        assert_eq!(
            without_head(&|rows| rows[4].chain = ChainHash::GENESIS),
            changed
        );
        let emptied = |rows: &mut Vec<JournalRow>| rows.clear();
        assert_eq!(without_head(&emptied), Some(JournalFlaw::Missing(seq(1))));
        let missing = Some(JournalFlaw::Missing(seq(5)));
        assert_eq!(without_head(&|rows| drop(rows.remove(4))), missing);
        // The last one is missed as well, by the head.
        assert_eq!(
            without_head(&|rows| drop(rows.pop())),
            Some(JournalFlaw::Missing(seq(9)))
        );
        let swapped = |rows: &mut Vec<JournalRow>| {
            rows.swap(2, 6);
            (rows[2].seq, rows[6].seq) = (seq(3), seq(7));
        };
        let (at, stands_at) = (seq(3), seq(7));
        assert_eq!(
            without_head(&swapped),
            Some(JournalFlaw::Moved { at, stands_at })
        );
        // A row that was taken out, with those after it put where it was.
        let closed_up = |rows: &mut Vec<JournalRow>| {
            rows.remove(4);
            rows.iter_mut()
                .zip(1..)
                .for_each(|(row, place)| row.seq = seq(place));
        };
        assert_eq!(without_head(&closed_up), changed);
    }

    #[test]
    fn whoever_writes_it_all_anew_is_found_out_by_a_head_that_was_noted() {
        let good = rows(9);
        let noted = head(&good[..6]);
        assert_eq!(flaw(&good, head(&good), Some(noted)), None);
        assert_eq!(flaw(&good, head(&good), Some(JournalHead::START)), None);

        let shorter = &good[..4];
        let shortened = JournalFlaw::Shortened {
            ends_at: Seq::new(4),
            known: Seq::new(6),
        };
        assert_eq!(
            flaw(shorter, head(shorter), None),
            None,
            "nothing shows without it"
        );
        assert_eq!(flaw(shorter, head(shorter), Some(noted)), Some(shortened));
        assert_eq!(
            flaw(&[], JournalHead::START, Some(noted)).map(|flaw| flaw.at()),
            Some(Seq::new(1))
        );

        let mut end = JournalHead::START;
        let anew: Vec<_> = good
            .iter()
            .map(|row| {
                let mut entry = row.entry.clone();
                entry.actor = Actor::ANONYMOUS;
                let row = end.append(entry);
                end = JournalHead::from(&row);
                row
            })
            .collect();
        assert_eq!(flaw(&anew, end, None), None, "nothing shows without it");
        assert_eq!(
            flaw(&anew, end, Some(noted)),
            Some(JournalFlaw::Rewritten(Seq::new(6)))
        );
        let of_nothing = JournalHead::new(Seq::START, noted.chain);
        assert_eq!(
            flaw(&[], JournalHead::START, Some(of_nothing)),
            Some(JournalFlaw::Rewritten(Seq::START))
        );
    }

    #[test]
    fn the_head_must_be_that_of_the_last_row() {
        let good = rows(3);
        let other = JournalHead::new(Seq::new(3), ChainHash::GENESIS);
        assert_eq!(
            flaw(&good, other, None),
            Some(JournalFlaw::HeadDiffers(Seq::new(3)))
        );
        let later = JournalHead::new(Seq::new(4), ChainHash::GENESIS);
        assert_eq!(
            flaw(&good, later, None),
            Some(JournalFlaw::Missing(Seq::new(4)))
        );
    }
}
