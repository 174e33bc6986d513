//! Reading the journal. It is written by `retry.rs`, with every change.

use super::SqlStore;
use super::backend::{Backend, Lane, Session};
use super::fault::Failure;
use super::records;
use super::retry::Change;
use super::row::Value;
use super::texts;
use super::work::filter;
use crate::journal::{JournalHead, JournalQuery, JournalRow, Seq};
use crate::key::Page;
use crate::store::StoreError;

/// The most journal rows that go over the connections of checks: those who follow the journal read few at a time,
/// and checks depend on them; whoever exports it can wait.
const FEW_ROWS: u32 = 1000;

impl<B: Backend> SqlStore<B> {
    pub(super) async fn rows_after(
        &self,
        seq: Seq,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let lane = if limit <= FEW_ROWS {
            Lane::Verify
        } else {
            Lane::Manage
        };
        let values = [seq.get().into(), limit.into()];
        let (text, read) = (texts::JOURNAL_AFTER, records::read_journal_row);
        self.rows("journal_after", lane, text, &values, read).await
    }

    pub(super) async fn page_of_journal(
        &self,
        query: &JournalQuery,
    ) -> Result<Page<JournalRow>, StoreError> {
        let last = match query.before {
            Some(seq) => seq.get().checked_sub(1),
            None => Some(u64::MAX),
        };
        let Some(last) = last else {
            return Ok(Page::new(Vec::new(), false));
        };
        let limit = query.limit.min(JournalQuery::MAX_LIMIT);
        let (text, mut values) = match &query.owner {
            Some(owner) => {
                let owner = Self::values("journal", records::owner(owner))?;
                (B::JOURNAL_OF_OWNER, vec![owner])
            }
            None => (B::JOURNAL, Vec::new()),
        };
        values.push(last.into());
        let text_of = |wanted: &Option<String>| filter(wanted.clone().map(Value::Text));
        values.extend(text_of(&query.actor));
        values.extend(text_of(&query.action));
        values.extend(text_of(&query.subject));
        values.extend(filter(query.from.map(Value::from)));
        values.extend(filter(query.until.map(Value::from)));
        values.push((limit + 1).into());
        let read = records::read_journal_row;
        let rows = self.rows("journal", Lane::Manage, text, &values, read);
        Ok(Page::from_one_more(rows.await?, limit))
    }

    pub(super) async fn head(&self) -> Result<JournalHead, StoreError> {
        let read = records::read_head;
        self.row("journal_head", Lane::Verify, texts::HEAD, &[], read)
            .await?
            .ok_or_else(|| Failure::no_tables().into_store_error::<B>("journal_head"))
    }
}

/// The change of an entry that goes with none.
pub(super) struct Note;

impl<S: Session> Change<S> for Note {
    type Output = ();

    async fn apply(&self, _: &mut S) -> Result<(), Failure> {
        Ok(())
    }
}
