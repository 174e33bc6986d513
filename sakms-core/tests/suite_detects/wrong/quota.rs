//! Quotas.

use sakms_core::clock::Timestamp;
use sakms_core::id::KeyId;
use sakms_core::store::{KeyStore as _, StoreError};

use super::{Wrong, meanwhile};
use crate::flaw::Flaw;

impl Wrong {
    /// Whose quota a key's is in a period: for a store that keeps one for each, another in each.
    fn holder(&self, key: KeyId, period: Timestamp) -> KeyId {
        if !self.has(Flaw::TakesFromThePast) {
            return key;
        }
        let mut id = *key.as_bytes();
        for (byte, of_period) in id.iter_mut().zip(period.as_micros().to_be_bytes()) {
            *byte ^= of_period;
        }
        KeyId::from_bytes(id)
    }

    pub(crate) async fn take_quota(
        &self,
        key: KeyId,
        period: Timestamp,
        amount: u64,
        cost: u64,
    ) -> Result<Option<u64>, StoreError> {
        let key = self.holder(key, period);
        let taken = self.store.quota_taken(key, period).await?;
        if self.has(Flaw::WrapsAround) && taken.wrapping_add(cost) < taken {
            return Ok(Some(amount - taken.wrapping_add(cost)));
        }
        if self.has(Flaw::ReadsBeforeItTakes) {
            meanwhile().await;
            let left = amount.saturating_sub(taken).checked_sub(cost);
            if left.is_some() {
                self.store.take_quota(key, period, u64::MAX, cost).await?;
            }
            return Ok(left);
        }
        self.store.take_quota(key, period, amount, cost).await
    }

    pub(crate) async fn quota_taken(
        &self,
        key: KeyId,
        period: Timestamp,
    ) -> Result<u64, StoreError> {
        let key = self.holder(key, period);
        self.store.quota_taken(key, period).await
    }
}
