//! Uses.

use std::collections::BTreeMap;

use sakms_core::id::KeyId;
use sakms_core::key::{SecretUse, UsedSecret};
use sakms_core::store::{KeyStore as _, StoreError};

use super::Wrong;
use crate::flaw::Flaw;

impl Wrong {
    pub(crate) async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        let mut uses = uses.to_vec();
        if self.has(Flaw::UsesWhatItRefuses) {
            for used in &mut uses {
                used.count = used.count.max(1);
            }
        }
        if self.has(Flaw::MergesUses) {
            let of_each: BTreeMap<_, _> = uses.iter().map(|used| (used.secret, *used)).collect();
            uses = of_each.into_values().collect();
        }
        for used in &uses {
            if let Some(place) = used.last_from {
                self.places.lock().unwrap().insert(used.secret, place);
            }
        }
        self.store.record_uses(&uses).await
    }

    pub(crate) async fn secrets(&self, key: KeyId) -> Result<Vec<UsedSecret>, StoreError> {
        let mut secrets = self.store.secrets(key).await?;
        if self.has(Flaw::ShowsTheLastPlaceTold) {
            let places = self.places.lock().unwrap();
            for secret in &mut secrets {
                secret.last_used_from = places.get(&secret.record.id).copied();
            }
        }
        Ok(secrets)
    }
}
