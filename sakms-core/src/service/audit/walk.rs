//! The journal from its beginning to its end, a page at a time.

use crate::journal::{JournalHead, JournalRow, Seq};
use crate::store::{KeyStore, StoreError};

/// How many rows are read at once.
const PAGE: u32 = 1_000;

/// Reads the journal from its first row to what was its end when the walk began.
///
/// What others write meanwhile comes after that end, so what is read is the journal as it was at one moment.
///
/// ```
/// # use sakms_core::service::JournalWalk;
/// # use sakms_core::store::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = MemoryStore::new();
/// let mut walk = JournalWalk::begin(&store).await?;
/// while let Some(rows) = walk.next_rows().await? {
///     for row in rows {
///         println!("{} {} {}", row.seq, row.entry.action, row.entry.subject);
///     }
/// }
/// println!("head {}", walk.head());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct JournalWalk<'a> {
    store: &'a dyn KeyStore,
    head: JournalHead,
    read_to: Seq,
    ended: bool,
}

impl<'a> JournalWalk<'a> {
    /// Begins at the first row.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub async fn begin(store: &'a dyn KeyStore) -> Result<Self, StoreError> {
        Ok(Self {
            store,
            head: store.journal_head().await?,
            read_to: Seq::START,
            ended: false,
        })
    }

    /// The head as the store had it when the walk began: where the walk ends.
    #[must_use]
    pub const fn head(&self) -> JournalHead {
        self.head
    }

    /// The next rows, in order; `None` after the last one. They are what the store has: whether they follow each other
    /// is for [`verify`](crate::journal::verify) to say.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read. It can be tried again.
    pub async fn next_rows(&mut self) -> Result<Option<Vec<JournalRow>>, StoreError> {
        if self.ended || self.read_to >= self.head.seq {
            return Ok(None);
        }
        let mut rows = self.store.journal_after(self.read_to, PAGE).await?;
        self.ended = rows.len() < PAGE as usize;
        if let Some(last) = rows.last() {
            self.ended |= last.seq <= self.read_to;
            self.read_to = last.seq;
        }
        rows.retain(|row| row.seq <= self.head.seq);
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }
}
