//! Whether the tables are there.

use super::SqlStore;
use super::backend::{Backend, Lane};
use super::fault::Failure;
use super::row::{Columns, Value};
use super::texts;
use crate::store::{StoreError, StoreErrorKind};

impl<B: Backend> SqlStore<B> {
    pub(super) async fn look_at_tables(&self) -> Result<(), StoreError> {
        let newest = B::STEPS.last().map_or(0, |step| step.version);
        let read = |row| {
            let mut columns = Columns::of(row);
            let heads: usize = columns.number("sakms_journal_head")?;
            let steps: usize = columns.number("sakms_migrations")?;
            Ok(heads == 1 && steps == B::STEPS.len())
        };
        let values = [Value::Int(newest)];
        let steps = self.row("ping", Lane::Verify, texts::PING, &values, read);
        let found = match steps.await {
            // No table of steps, maybe: a host that runs them in an order of its own has none.
            Err(error) if error.kind() == StoreErrorKind::Internal => {
                let read = |row| {
                    let heads = Columns::of(row).number::<usize>("sakms_journal_head")?;
                    Ok(heads == 1)
                };
                self.row("ping", Lane::Verify, B::TABLES, &[], read).await?
            }
            other => other?,
        };
        match found {
            Some(true) => Ok(()),
            _ => Err(Failure::no_tables().into_store_error::<B>("ping")),
        }
    }
}
