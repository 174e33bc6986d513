//! The methods that can be wrong, by rooms.

mod accounts;
mod hashes;
mod keys;
mod owners;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sakms_core::clock::Timestamp;
use sakms_core::journal::{JournalRow, Seq};
use sakms_core::store::{KeyStore as _, MemoryStore, StoreError};

use crate::flaw::Flaw;

/// A store, with the methods of one that has the flaw.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    pub(crate) store: MemoryStore,
    pub(crate) flaw: Flaw,
    /// Whether somebody saw the fourth row already.
    pub(crate) fourth_seen: Arc<AtomicBool>,
}

impl Wrong {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn time(&self, at: Timestamp) -> Timestamp {
        if self.has(Flaw::LosesMicroseconds) {
            Timestamp::from_micros(at.as_micros() / 1_000 * 1_000).unwrap()
        } else {
            at
        }
    }

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
}

/// Time enough for others to change what was looked at.
async fn meanwhile() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}
