//! The journal.

use std::sync::atomic::Ordering;

use sakms_core::journal::{JournalQuery, JournalRow, Seq, Subject};
use sakms_core::key::Page;
use sakms_core::store::{KeyStore as _, StoreError};

use super::{Wrong, just_after};
use crate::flaw::Flaw;

impl Wrong {
    pub(crate) async fn journal_after(
        &self,
        seq: Seq,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let mut rows = self.store.journal_after(seq, limit).await?;
        if self.has(Flaw::ShowsRowsOutOfOrder) && !self.fourth_seen.load(Ordering::SeqCst) {
            rows.retain(|row| row.seq != Seq::new(3));
            let seen = rows.iter().any(|row| row.seq == Seq::new(4));
            self.fourth_seen.store(seen, Ordering::SeqCst);
        }
        Ok(rows)
    }

    pub(crate) async fn journal(
        &self,
        query: &JournalQuery,
    ) -> Result<Page<JournalRow>, StoreError> {
        let mut query = query.clone();
        if self.has(Flaw::IncludesTheEnd) {
            query.until = query.until.map(just_after);
        }
        let actor = query.actor.clone().filter(|_| self.has(Flaw::FoldsActors));
        let owner = query
            .owner
            .clone()
            .filter(|_| self.has(Flaw::ShowsOwnersByName));
        if actor.is_some() {
            query.actor = None;
        }
        let mut page = self.store.journal(&query).await?;
        if let Some(actor) = actor {
            let same = |row: &JournalRow| row.entry.actor.as_str().eq_ignore_ascii_case(&actor);
            page.items.retain(same);
            page.more = false;
        }
        if let Some(owner) = owner {
            page.items
                .retain(|row| row.entry.subject == Subject::owner(&owner));
            page.more = false;
        }
        Ok(page)
    }
}
