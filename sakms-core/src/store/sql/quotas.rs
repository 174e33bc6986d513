//! Quotas: taking out of one, exactly, on any number of nodes.

use std::slice::from_ref;

use super::SqlStore;
use super::backend::{Backend, Lane, Session};
use super::fault::Failure;
use super::retry::Change;
use super::row::{Columns, CorruptValue, Row, Value};
use super::texts;
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::key::QuotaState;
use crate::store::{StoreError, StoreErrorKind};

/// A quota is missing once, is then there, and may have been changed by somebody else in between.
const ROUNDS: u32 = 4;

/// Takes out of a quota by one statement, which finds the row and changes it under its lock: whoever comes next sees what
/// was taken. No transaction holds the row for longer than that, because all requests with the key wait for it.
pub(super) struct TakeQuota {
    key: KeyId,
    period: Timestamp,
    amount: u64,
    cost: u64,
    /// How much may be taken already.
    most: u64,
    take: &'static str,
    keep: &'static str,
}

impl TakeQuota {
    /// `None` when there can never be enough.
    pub(super) fn new<B: Backend>(
        key: KeyId,
        period: Timestamp,
        amount: u64,
        cost: u64,
    ) -> Option<Self> {
        let most = amount.min(QuotaState::MOST).checked_sub(cost)?;
        Some(Self {
            key,
            period,
            amount,
            cost,
            most,
            take: B::TAKE_QUOTA,
            keep: B::KEEP_QUOTA,
        })
    }
}

impl<S: Session> Change<S> for TakeQuota {
    type Output = Option<u64>;

    async fn apply(&self, session: &mut S) -> Result<Option<u64>, Failure> {
        let (key, period) = (Value::from(self.key.as_bytes()), Value::from(self.period));
        let [for_same, for_new, before, same] = [(); 4].map(|()| period.clone());
        let cost = Value::from(self.cost);
        let most = Value::from(self.most);
        let taking = [for_same, cost, for_new, key.clone(), before, same, most];
        for _ in 0..ROUNDS {
            if let Some(taken) = session.change_one(self.take, &taking).await? {
                let taken = u64::try_from(taken).unwrap_or(u64::MAX);
                return Ok(Some(self.amount.saturating_sub(taken)));
            }
            // There is too little left, or there is no row yet. What was read decides: taken is only ever more.
            match session.fetch(texts::QUOTA, from_ref(&key)).await?.pop() {
                None => {
                    let values = [key.clone(), period.clone()];
                    session.execute(self.keep, &values).await?;
                }
                Some(row) => {
                    let (last, taken) = read_quota(row)?;
                    if last > self.period || (last == self.period && taken > self.most) {
                        return Ok(None);
                    }
                }
            }
        }
        Err(Failure::is(StoreErrorKind::Unavailable))
    }
}

impl<B: Backend> SqlStore<B> {
    /// How much was taken in a period.
    pub(super) async fn taken_of_quota(
        &self,
        key: KeyId,
        period: Timestamp,
    ) -> Result<u64, StoreError> {
        let id = [key.as_bytes().into()];
        let quota = self.row("quota_taken", Lane::Manage, texts::QUOTA, &id, read_quota);
        Ok(match quota.await? {
            Some((last, taken)) if last == period => taken,
            _ => 0,
        })
    }
}

fn read_quota(row: Row) -> Result<(Timestamp, u64), CorruptValue> {
    let mut columns = Columns::of(row);
    let period = columns.time("sakms_quotas.period")?;
    Ok((period, columns.number("sakms_quotas.taken")?))
}
