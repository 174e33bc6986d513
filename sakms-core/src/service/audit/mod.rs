//! The journal as an audit log: who may read which rows, and whether the chain holds.

mod check;
mod walk;

pub use check::{JournalFlaw, JournalProgress};
pub use walk::JournalWalk;

use super::caller::Caller;
use super::cursor::Cursor;
use super::error::Error;
use super::{Inner, Sakms};
use crate::clock::Timestamp;
use crate::journal::{JournalHead, JournalQuery, JournalRow, Seq};
use crate::key::Owner;
use crate::verdict::Verdict;

/// Which rows of the journal are asked for. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AuditRequest {
    /// By this actor, to the letter: `owner:<owner>`, `key:<id>`, `system`, `anonymous`.
    pub actor: Option<String>,
    /// This was done, to the letter: `key.revoke`.
    pub action: Option<String>,
    /// To this, to the letter: `key:<id>`, `owner:<owner>`, `account:<id>`, `role:<name>`, `service`.
    pub subject: Option<String>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// About this owner or what they hold. Whoever is no admin sees no more than what is about themself, whether they
    /// say so or not.
    pub owner: Option<Owner>,
    /// How many rows at most, 1 to 100; 50 when nothing is said.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
}

/// A part of the journal, the newest row first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuditPage {
    /// The rows.
    pub rows: Vec<JournalRow>,
    /// Where it goes on, when it does.
    pub next: Option<Cursor>,
}

impl Sakms {
    /// A page of the journal: of all of it for an admin, and of what is about themself or what they hold for anybody
    /// else.
    ///
    /// # Errors
    /// [`Error::AdminOnly`] when somebody who is no admin asks for another owner's rows; [`Error::Invalid`] for a limit
    /// outside 1 to 100, a span that ends before it begins, or a cursor this service did not make for this caller and
    /// these filters; [`Error::Store`] when it could not be read.
    #[tracing::instrument(name = "sakms.journal.list", skip_all)]
    pub async fn audit(&self, caller: &Caller, request: AuditRequest) -> Result<AuditPage, Error> {
        let Inner { keys, places, .. } = &*self.inner;
        let owner = match request.owner {
            Some(owner) if caller.may_manage(&owner) => Some(owner),
            Some(_) => return Err(Error::AdminOnly),
            None if caller.is_admin() => None,
            None => Some(caller.owner_name().clone()),
        };
        if let (Some(from), Some(until)) = (request.from, request.until)
            && until < from
        {
            return Err(Error::field("until", "must not be before `from`"));
        }
        let mut query = JournalQuery::everything();
        query.owner = owner;
        query.actor = request.actor;
        query.action = request.action;
        query.subject = request.subject;
        query.from = request.from;
        query.until = request.until;
        if let Some(limit) = request.limit {
            if !(1..=JournalQuery::MAX_LIMIT).contains(&limit) {
                return Err(Error::field("limit", "must be between 1 and 100"));
            }
            query.limit = limit;
        }
        let asked = list_of(caller, &query);
        let asked: Vec<_> = asked.iter().map(String::as_str).collect();
        if let Some(cursor) = &request.cursor {
            let place = places.open::<8>(&asked, cursor)?;
            query.before = Some(Seq::new(u64::from_be_bytes(place)));
        }
        let page = keys.journal(&query).await?;
        let last = page.items.last().filter(|_| page.more);
        let next = last.map(|last| places.seal(&asked, last.seq.get().to_be_bytes()));
        Ok(AuditPage {
            rows: page.items,
            next,
        })
    }

    /// Walks the journal from its first row to what is its end now, and holds every row against the hash chain, and the
    /// end against the head that the store keeps. `known` is a head that was noted earlier, elsewhere: only that shows
    /// that rows at the end were taken away together with the head. What is written meanwhile is left for the next time.
    ///
    /// The whole journal is read, a page at a time; after each page `progress` is told how far it is.
    ///
    /// # Errors
    /// [`Error::Store`] when it could not be read: that says nothing about the chain.
    #[tracing::instrument(name = "sakms.journal.verify", skip_all)]
    pub async fn verify_journal(
        &self,
        known: Option<JournalHead>,
        progress: impl FnMut(JournalProgress) + Send,
    ) -> Result<Verdict<JournalHead, JournalFlaw>, Error> {
        check::check(self.inner.keys.as_ref(), known, progress).await
    }
}

/// What a cursor is sealed to: who asks, and for what. Not how many rows at a time.
fn list_of(caller: &Caller, query: &JournalQuery) -> Vec<String> {
    // A `-` is no part of a filter that is there, and a `+` is in front of each that is.
    let part =
        |filter: Option<&str>| filter.map_or_else(|| "-".to_owned(), |text| format!("+{text}"));
    let moment =
        |moment: Option<Timestamp>| part(moment.map(|at| at.as_micros().to_string()).as_deref());
    vec![
        "audit".to_owned(),
        caller.owner_name().to_string(),
        part(query.owner.as_ref().map(Owner::as_str)),
        part(query.actor.as_deref()),
        part(query.action.as_deref()),
        part(query.subject.as_deref()),
        moment(query.from),
        moment(query.until),
    ]
}
