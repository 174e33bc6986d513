//! Roles.

use sakms_core::journal::JournalEntry;
use sakms_core::key::{KeyPatch, KeyQuery, Role, RoleName, RoleSet};
use sakms_core::store::{KeyStore as _, StoreError, StoreErrorKind};
use sakms_core::testkit::fixtures;

use super::Wrong;
use crate::flaw::Flaw;

impl Wrong {
    pub(crate) async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        let mut roles = self.store.roles().await?;
        if self.has(Flaw::CollatesRoles) {
            // Letters and digits first, and then the rest.
            roles.sort_by_key(|role| {
                let name = role.name.to_string();
                let letters: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
                (letters, name)
            });
        }
        Ok(roles)
    }

    pub(crate) async fn set_role(
        &self,
        role: &Role,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        match self.store.set_role(role, entry).await {
            Err(error)
                if self.has(Flaw::DefinesAnyNumber)
                    && error.kind() == StoreErrorKind::LimitReached =>
            {
                self.store.note(entry).await
            }
            outcome => outcome,
        }
    }

    pub(crate) async fn remove_role(
        &self,
        name: &RoleName,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let outcome = self.store.remove_role(name, entry).await;
        self.unless_nothing_was_there(outcome)?;
        if self.has(Flaw::TakesRolesFromKeys) {
            for key in self.store.list(&KeyQuery::everybody()).await?.items {
                let left = key.roles.iter().filter(|held| *held != name).cloned();
                let mut patch = KeyPatch::default();
                patch.roles = Some(RoleSet::new(left).unwrap());
                let entry = fixtures::updated(key.id);
                self.store
                    .update(key.id, key.revision, &patch, &entry)
                    .await?;
            }
        }
        Ok(())
    }
}
