//! Roles: defined by admins, held by keys.

use super::super::cache::Strike;
use super::super::caller::Caller;
use super::super::error::Error;
use super::super::{Inner, Sakms};
use crate::journal::{Action, Subject};
use crate::key::{Role, RoleName, RoleSet, ScopeSet};
use crate::store::StoreErrorKind;

/// The roles there are, as far as somebody needs them.
#[derive(Debug, Default)]
pub(super) struct Roles(Vec<Role>);

impl Roles {
    /// Some scopes, and those of the roles: what a key with both may do.
    pub(super) fn scopes_with(&self, scopes: &ScopeSet, held: &RoleSet) -> ScopeSet {
        let roles = self.0.iter().filter(|role| held.contains(&role.name));
        let of_roles = roles.flat_map(|role| role.scopes.iter());
        scopes.iter().chain(of_roles).cloned().collect()
    }
}

/// Holds that each of these roles is there.
pub(super) fn known(roles: &Roles, wanted: &RoleSet) -> Result<(), Error> {
    let unknown = |name: &&RoleName| !roles.0.iter().any(|role| role.name == **name);
    match wanted.iter().find(unknown) {
        None => Ok(()),
        Some(name) => {
            let what = format_args!("there is no role {name}");
            Err(Error::field("roles", what))
        }
    }
}

impl Sakms {
    /// Every role there is, in the order of their names.
    ///
    /// # Errors
    /// [`Error::Store`] when they could not be read.
    #[tracing::instrument(name = "sakms.role.list", skip_all)]
    pub async fn roles(&self) -> Result<Vec<Role>, Error> {
        Ok(self.inner.keys.roles().await?)
    }

    /// Defines a role, or defines it anew: whoever holds it may do from now on what these scopes say. In force at once
    /// here, and on other nodes after their next reading of the journal.
    ///
    /// ```
    /// # use sakms_core::key::{MasterKey, RoleSet};
    /// # use sakms_core::entropy::OsEntropy;
    /// # use sakms_core::service::{Caller, NewKey, Sakms};
    /// # use sakms_core::store::MemoryStore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?).build()?;
    /// let admin = Caller::admin("root".parse()?);
    /// sakms.set_role(&admin, "reader".parse()?, "reports:read".parse()?).await?;
    ///
    /// let ada = Caller::owner("ada".parse()?);
    /// let mut new = NewKey::named("laptop".parse()?);
    /// new.roles = "reader".parse::<RoleSet>()?;
    /// sakms.create_key(&ada, new).await?;
    /// assert!(sakms.set_role(&ada, "reader".parse()?, "*".parse()?).await.is_err(), "that is for admins");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::AdminOnly`]; [`Error::TooManyRoles`] past [`Role::MOST`]; [`Error::Store`] when it could not be stored.
    #[tracing::instrument(name = "sakms.role.set", skip_all)]
    pub async fn set_role(
        &self,
        caller: &Caller,
        name: RoleName,
        scopes: ScopeSet,
    ) -> Result<Role, Error> {
        caller.require_admin()?;
        let Inner {
            keys, cache, clock, ..
        } = &*self.inner;
        let entry = self.entry(caller.actor(), Action::ROLE_SET, Subject::role(&name))?;
        let entry = entry.with_detail(format!("scopes={scopes}"));
        let role = Role::new(name, scopes, clock.now());
        let _strike = Strike::all(cache);
        match keys.set_role(&role, &entry).await {
            Err(error) if error.kind() == StoreErrorKind::LimitReached => Err(Error::TooManyRoles),
            outcome => Ok(outcome.map(|()| role)?),
        }
    }

    /// Takes a role away: it grants nothing any more, whoever holds it.
    ///
    /// # Errors
    /// [`Error::AdminOnly`]; [`Error::NotFound`] when there is no such role; [`Error::Store`] when it could not be
    /// stored.
    #[tracing::instrument(name = "sakms.role.remove", skip_all)]
    pub async fn remove_role(&self, caller: &Caller, name: &RoleName) -> Result<(), Error> {
        caller.require_admin()?;
        let Inner { keys, cache, .. } = &*self.inner;
        let entry = self.entry(caller.actor(), Action::ROLE_REMOVE, Subject::role(name))?;
        let _strike = Strike::all(cache);
        Ok(keys.remove_role(name, &entry).await?)
    }

    pub(super) async fn roles_if(&self, needed: bool) -> Result<Roles, Error> {
        if needed {
            Ok(Roles(self.inner.keys.roles().await?))
        } else {
            Ok(Roles::default())
        }
    }
}
