//! A store that fails on demand, and counts what it is asked.
//!
//! It stands in front of a real one, so that a test can take the database away and give it back, lose the answer to a
//! commit, or show that a request never came as far as the store.
//!
//! ```
//! use sakms_core::store::{KeyStore, MemoryStore, StoreErrorKind};
//! use sakms_core::testkit::faults::{Fault, Faults, StoreMethod};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let store = Faults::over(MemoryStore::new());
//! store.inject(Fault::Before(StoreErrorKind::Unavailable));
//! assert_eq!(store.ping().await.unwrap_err().kind(), StoreErrorKind::Unavailable);
//! store.heal();
//! assert!(store.ping().await.is_ok());
//! assert_eq!(store.calls(StoreMethod::Ping), 2);
//! # }
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::store::{AccountStore, KeyStore, MemoryStore, StateStore, StoreError, StoreErrorKind};

mod calls;

/// What every injected error names as its cause. No client may ever read it.
pub const CAUSE: &str = "an injected fault at db.internal, table sakms_keys";

/// How a call of a store goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing is done, and an error of this kind is given.
    Before(StoreErrorKind),
    /// It is done, and an error of this kind is given all the same: the answer was lost on its way.
    After(StoreErrorKind),
    /// It waits until [`Faults::heal`] and is done then.
    Stall,
    /// It is done, and what came of it waits until [`Faults::heal`]: an answer that is old when it arrives.
    StallAfter,
}

macro_rules! store_methods {
    ($($variant:ident $name:literal)*) => {
        /// A method of [`KeyStore`], [`AccountStore`] or [`StateStore`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum StoreMethod {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        impl StoreMethod {
            /// Every method of the traits.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The method's name in its trait.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

store_methods! {
    Insert "insert"
    Find "find"
    Get "get"
    Secrets "secrets"
    List "list"
    Update "update"
    AddSecret "add_secret"
    KeepSecret "keep_secret"
    ReplaceHash "replace_hash"
    RecordUses "record_uses"
    Usage "usage"
    TakeQuota "take_quota"
    QuotaTaken "quota_taken"
    Idempotency "idempotency"
    ForgetIdempotency "forget_idempotency"
    Roles "roles"
    SetRole "set_role"
    RemoveRole "remove_role"
    OwnerDisabledAt "owner_disabled_at"
    SetOwnerDisabled "set_owner_disabled"
    JournalAfter "journal_after"
    Journal "journal"
    Note "note"
    JournalHead "journal_head"
    Ping "ping"
    InsertAccount "insert_account"
    AccountByEmail "account_by_email"
    Account "account"
    Accounts "accounts"
    SetAccountRole "set_account_role"
    SetPassword "set_password"
    ReplacePasswordHash "replace_password_hash"
    State "state"
    States "states"
    InsertState "insert_state"
    UpdateState "update_state"
    RemoveState "remove_state"
    RemoveStates "remove_states"
    ForgetStates "forget_states"
}

/// A store in front of another, that fails on demand and counts its calls. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct Faults {
    keys: Arc<dyn KeyStore>,
    accounts: Arc<dyn AccountStore>,
    states: Arc<dyn StateStore>,
    plan: Arc<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    state: Mutex<State>,
    healed: Notify,
}

#[derive(Debug, Default)]
struct State {
    everywhere: Option<Fault>,
    /// A fault of one method, and how often it is still to happen when that is limited.
    of: HashMap<StoreMethod, (Fault, Option<u32>)>,
    calls: HashMap<StoreMethod, u64>,
}

impl Faults {
    /// In front of these two, with no fault yet. What is kept for a while is kept in memory, where
    /// [`with_states`](Self::with_states) names no store for it.
    #[must_use]
    pub fn new(keys: Arc<dyn KeyStore>, accounts: Arc<dyn AccountStore>) -> Self {
        Self {
            keys,
            accounts,
            states: Arc::new(MemoryStore::new()),
            plan: Arc::default(),
        }
    }

    /// The same, in front of this store of what is kept for a while as well.
    #[must_use]
    pub fn with_states(mut self, states: Arc<dyn StateStore>) -> Self {
        self.states = states;
        self
    }

    /// In front of a store that keeps everything.
    #[must_use]
    pub fn over(store: impl KeyStore + AccountStore + StateStore) -> Self {
        let store = Arc::new(store);
        Self::new(Arc::clone(&store) as _, Arc::clone(&store) as _).with_states(store)
    }

    /// From now on every call goes wrong like this.
    pub fn inject(&self, fault: Fault) {
        self.state().everywhere = Some(fault);
    }

    /// From now on every call of `method` goes wrong like this.
    pub fn inject_into(&self, method: StoreMethod, fault: Fault) {
        self.state().of.insert(method, (fault, None));
    }

    /// The next `times` calls of `method` go wrong like this.
    pub fn inject_next(&self, method: StoreMethod, times: u32, fault: Fault) {
        self.state().of.insert(method, (fault, Some(times)));
    }

    /// From now on nothing goes wrong, and what was stalled goes on.
    pub fn heal(&self) {
        self.state().everywhere = None;
        self.state().of.clear();
        self.plan.healed.notify_waiters();
    }

    /// How often `method` was called, whatever came of it.
    #[must_use]
    pub fn calls(&self, method: StoreMethod) -> u64 {
        self.state().calls.get(&method).copied().unwrap_or(0)
    }

    /// How often any method was called, whatever came of it.
    #[must_use]
    pub fn all_calls(&self) -> u64 {
        self.state().calls.values().sum()
    }

    /// Starts to count from zero again.
    pub fn forget_calls(&self) {
        self.state().calls.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.plan
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self, method: StoreMethod) -> Option<Fault> {
        let mut state = self.state();
        match state.of.get_mut(&method) {
            Some((fault, None)) => Some(*fault),
            Some((fault, Some(times))) if *times > 0 => {
                *times -= 1;
                Some(*fault)
            }
            _ => state.everywhere,
        }
    }

    async fn call<T>(
        &self,
        method: StoreMethod,
        real: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        *self.state().calls.entry(method).or_default() += 1;
        let failure = |kind| StoreError::new(kind, method.name()).because(CAUSE);
        loop {
            // Listens before it looks, so that a healing in between is not missed.
            let healed = self.plan.healed.notified();
            match self.next_fault(method) {
                None => return real.await,
                Some(Fault::Before(kind)) => return Err(failure(kind)),
                Some(Fault::After(kind)) => {
                    real.await?;
                    return Err(failure(kind));
                }
                Some(Fault::Stall) => healed.await,
                Some(Fault::StallAfter) => {
                    let outcome = real.await;
                    healed.await;
                    return outcome;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::fixtures;

    fn kind<T>(result: Result<T, StoreError>) -> Option<StoreErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[tokio::test]
    async fn a_fault_happens_as_often_as_it_was_asked_for() {
        let store = Faults::over(MemoryStore::new());
        let stale = Fault::Before(StoreErrorKind::Stale);
        store.inject_next(StoreMethod::Ping, 2, stale);
        assert_eq!(kind(store.ping().await), Some(StoreErrorKind::Stale));
        assert_eq!(kind(store.journal_head().await), None);
        assert_eq!(kind(store.ping().await), Some(StoreErrorKind::Stale));
        assert_eq!(kind(store.ping().await), None);
        assert_eq!((store.calls(StoreMethod::Ping), store.all_calls()), (3, 4));
        store.forget_calls();
        assert_eq!(store.all_calls(), 0);
    }

    #[tokio::test]
    async fn an_answer_is_lost_after_the_change_and_an_error_before_it() {
        let store = Faults::over(MemoryStore::new());
        let owner = fixtures::owner();
        let disable = || async {
            kind(
                store
                    .set_owner_disabled(&owner, Some(fixtures::at(1)), &fixtures::disabled(&owner))
                    .await,
            )
        };
        let disabled = || async { store.owner_disabled_at(&owner).await.unwrap().is_some() };
        let method = StoreMethod::SetOwnerDisabled;
        store.inject_next(method, 1, Fault::Before(StoreErrorKind::Unavailable));
        assert_eq!(disable().await, Some(StoreErrorKind::Unavailable));
        assert!(!disabled().await);
        store.inject_next(method, 1, Fault::After(StoreErrorKind::OutcomeUnknown));
        assert_eq!(disable().await, Some(StoreErrorKind::OutcomeUnknown));
        assert!(disabled().await);
    }

    #[tokio::test]
    async fn what_was_stalled_goes_on_when_it_is_healed() {
        let store = Faults::over(MemoryStore::new());
        store.inject(Fault::Stall);
        let stalled = tokio::spawn({
            let store = store.clone();
            async move { store.ping().await }
        });
        while store.calls(StoreMethod::Ping) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!stalled.is_finished());
        store.heal();
        assert_eq!(kind(stalled.await.unwrap()), None);
    }
}
