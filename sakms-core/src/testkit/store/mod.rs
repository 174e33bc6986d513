//! What every store must do, as cases that [`store_suite!`](crate::store_suite) makes tests of.
//!
//! A case gets a store that nobody else uses, and is read as: this is what the trait promises.

pub mod keys;
mod support;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::store::{AccountStore, KeyStore};

/// A store to try, with whatever must live as long as it.
pub struct Fixture {
    // Dropped in this order: first the handles, then what they stand on.
    /// The store of keys.
    pub keys: Arc<dyn KeyStore>,
    /// The store of accounts, if it is one.
    pub accounts: Option<Arc<dyn AccountStore>>,
    /// What goes when the case is over: a folder, a database. It is dropped after the handles to the store and
    /// outside of asynchronous code, so it may block.
    pub guard: Option<Box<dyn Any + Send>>,
}

impl Fixture {
    /// A store of keys and accounts.
    #[must_use]
    pub fn new(store: impl KeyStore + AccountStore) -> Self {
        let store = Arc::new(store);
        Self {
            keys: Arc::clone(&store) as _,
            accounts: Some(store),
            guard: None,
        }
    }

    /// A store of keys alone; the cases about accounts are passed over.
    #[must_use]
    pub fn keys_only(store: impl KeyStore) -> Self {
        Self {
            keys: Arc::new(store),
            accounts: None,
            guard: None,
        }
    }

    /// The same with something that must live as long as the store.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture")
            .field("keys", &self.keys)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

/// Makes a test of every case of the suite for stores.
///
/// `factory` names an `async fn() -> Option<Fixture>` that gives a new and empty store each time
/// ([`Fixture`](crate::testkit::store::Fixture)). `None` passes the case over: whether that is allowed is for the
/// factory to decide.
///
/// ```
/// # use sakms_core::{store::MemoryStore, testkit::store::Fixture};
/// async fn factory() -> Option<Fixture> {
///     Some(Fixture::new(MemoryStore::new()))
/// }
///
/// sakms_core::store_suite!(factory);
/// ```
#[macro_export]
macro_rules! store_suite {
    ($factory:expr) => {
        $crate::__store_cases! { $factory;
            keys::ping_answers
            keys::a_plain_key_comes_back
            keys::a_full_key_comes_back
            keys::the_largest_values_come_back
            keys::names_are_kept_to_the_letter
            keys::metadata_is_kept_to_the_letter
            keys::owners_are_kept_to_the_letter
            keys::times_keep_their_microseconds
            keys::what_is_unknown_is_none
            keys::a_key_id_is_taken_once
            keys::a_secret_id_is_taken_once
            keys::ids_are_compared_byte_by_byte
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($factory:expr; $($room:ident::$case:ident)*) => {$(
        #[test]
        fn $case() {
            $crate::testkit::run(stringify!($case), $factory, $crate::testkit::store::$room::$case);
        }
    )*};
}
