//! Disabling owners.

use super::backend::Session;
use super::fault::Failure;
use super::records;
use super::retry::Change;
use super::texts;
use crate::clock::Timestamp;
use crate::key::Owner;

pub(super) struct SetOwner<'a> {
    pub(super) owner: &'a Owner,
    pub(super) disabled_at: Option<Timestamp>,
}

impl<S: Session> Change<S> for SetOwner<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let owner = records::owner(self.owner)?;
        match self.disabled_at {
            Some(at) => {
                session
                    .execute(texts::DISABLE_OWNER, &[owner, at.into()])
                    .await?
            }
            None => session.execute(texts::ENABLE_OWNER, &[owner]).await?,
        };
        Ok(())
    }
}
