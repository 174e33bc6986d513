//! Defining roles.

use super::backend::{Backend, Session};
use super::fault::Failure;
use super::records;
use super::retry::Change;
use super::row::Columns;
use super::texts;
use crate::key::{Role, RoleName};
use crate::store::StoreErrorKind;

pub(super) struct SetRole<'a> {
    role: &'a Role,
    lock: &'static str,
}

impl<'a> SetRole<'a> {
    pub(super) const fn new<B: Backend>(role: &'a Role) -> Self {
        Self {
            role,
            lock: B::LOCK_HEAD,
        }
    }
}

impl<S: Session> Change<S> for SetRole<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let role = records::write_role(self.role)?;
        session.execute(texts::SET_ROLE, &role).await?;
        // Whoever has the head sees every role that was committed, and nobody commits another before they do.
        session.fetch(self.lock, &[]).await?;
        let counted = session.fetch(texts::COUNT_ROLES, &[]).await?.pop();
        let counted = Columns::of(counted.unwrap_or_default()).number::<u32>("sakms_roles")?;
        if counted > Role::MOST {
            return Err(Failure::is(StoreErrorKind::LimitReached));
        }
        Ok(())
    }
}

pub(super) struct RemoveRole<'a>(pub(super) &'a RoleName);

impl<S: Session> Change<S> for RemoveRole<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let name = [records::role_name(self.0)?];
        match session.execute(texts::REMOVE_ROLE, &name).await? {
            0 => Err(Failure::is(StoreErrorKind::NotFound)),
            _ => Ok(()),
        }
    }
}
