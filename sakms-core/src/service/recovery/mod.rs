//! What needs mail: resetting a password, and confirming an address.
//!
//! `code.rs` has the text of a code, `value.rs` what is kept of one, `post.rs` the mail that goes out behind the requests,
//! `reset.rs` and `confirm.rs` the use cases, and `config.rs` what can be set.

mod code;
mod config;
mod confirm;
mod post;
mod reset;
mod value;

use std::fmt;
use std::sync::Arc;

pub(super) use code::CodeFormat;
use code::CodeUse;
pub use config::RecoveryConfig;
use post::Letter;
pub(super) use post::Post;
use value::CodeValue;

use super::error::Error;
use super::{Inner, Sakms};
use crate::account::Email;
use crate::clock::Timestamp;
use crate::entropy;
use crate::id::MessageId;
use crate::mail::{Draft, LinkTemplate, Message, Purpose};
use crate::secret::{KeySecret, MailedCode};
use crate::store::{
    AccountStore, StateId, StateKind, StateRecord, StateStore, StoreError, StoreErrorKind,
};

/// A code was not taken. Whether it was used, has ended, is somebody else's or was never one is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeDenial;

impl fmt::Display for CodeDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the code is not good, or not any more; ask for another")
    }
}

impl std::error::Error for CodeDenial {}

/// How codes are made and mailed, where there is a mailer.
#[derive(Debug)]
pub(super) struct Recovery {
    pub(super) config: RecoveryConfig,
    pub(super) codes: CodeFormat,
    pub(super) post: Arc<Post>,
}

/// Where a code is kept, what it opens, and how mail goes out.
#[derive(Clone, Copy)]
struct Parts<'a> {
    recovery: &'a Recovery,
    accounts: &'a dyn AccountStore,
    states: &'a dyn StateStore,
}

/// A code that was found.
struct FoundCode {
    record: StateRecord,
    value: CodeValue,
}

/// A code that is about to be mailed.
struct NewCode {
    code: MailedCode,
    id: StateId,
    now: Timestamp,
    expires_at: Timestamp,
}

impl Sakms {
    /// Whether a password can be reset here, and an address confirmed: somebody sends mail.
    #[must_use]
    pub fn has_mailer(&self) -> bool {
        self.inner.recovery.is_some()
    }

    /// Whether an account is made only when its address was confirmed
    /// ([`RecoveryConfig::confirm_addresses`]).
    #[must_use]
    pub fn confirms_addresses(&self) -> bool {
        let recovery = self.inner.recovery.as_ref();
        recovery.is_some_and(|recovery| recovery.config.confirms)
    }

    fn recovery_parts(&self) -> Result<Parts<'_>, Error> {
        let Inner {
            accounts,
            states,
            recovery,
            ..
        } = &*self.inner;
        match (recovery, accounts, states) {
            (Some(recovery), Some(accounts), Some(states)) => Ok(Parts {
                recovery,
                accounts: accounts.as_ref(),
                states: states.as_ref(),
            }),
            _ => Err(Error::NotOffered),
        }
    }

    /// Draws a code. Drawn for everybody, whether it is mailed or not: the same work.
    fn new_code(&self, recovery: &Recovery, usage: CodeUse) -> Result<NewCode, Error> {
        let Inner { clock, entropy, .. } = &*self.inner;
        let secret = KeySecret::new(entropy::draw::<32>(entropy.as_ref())?);
        let (code, id) = recovery.codes.mint(usage, &secret);
        let now = clock.now();
        let expires_at = now.checked_add(recovery.config.lifetime);
        let expires_at = expires_at.unwrap_or(Timestamp::MAX);
        Ok(NewCode {
            code,
            id,
            now,
            expires_at,
        })
    }

    fn message(&self, recovery: &Recovery, to: Email, purpose: Purpose) -> Result<Message, Error> {
        let Inner { clock, entropy, .. } = &*self.inner;
        let id = MessageId::generate(clock.as_ref(), entropy.as_ref())?;
        let service = recovery.config.service.clone();
        Ok(Message::new(id, to, purpose, clock.now(), service))
    }

    /// The code that was sent back, if there is one that has not ended.
    async fn find_code(
        &self,
        parts: Parts<'_>,
        usage: CodeUse,
        code: &MailedCode,
    ) -> Result<Option<FoundCode>, Error> {
        let Some(id) = parts.recovery.codes.parse(usage, code) else {
            return Ok(None);
        };
        let Some(record) = parts.states.state(StateKind::Code, id).await? else {
            return Ok(None);
        };
        if self.inner.clock.now() >= record.expires_at {
            return Ok(None);
        }
        let value = CodeValue::from_bytes(&record.value);
        let value = value.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "state"))?;
        Ok(Some(FoundCode { record, value }))
    }
}

impl NewCode {
    fn draft(self, link: Option<&LinkTemplate>) -> Draft<'_> {
        Draft {
            code: self.code,
            link,
            expires_at: self.expires_at,
        }
    }
}
