//! What a key may do, kept once for all keys that may do the same.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use crate::key::{Environment, ScopeSet};

/// What is asked of a key that stands, before it is let in. Most keys of a service have one of a few.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::service) struct Policy {
    pub(in crate::service) environment: Environment,
    pub(in crate::service) scopes: ScopeSet,
}

impl Hash for Policy {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.environment.hash(hasher);
        self.scopes.iter().for_each(|scope| scope.hash(hasher));
    }
}

/// The policies of the keys that are remembered, each once.
#[derive(Debug, Default)]
pub(super) struct Policies(Mutex<Shared>);

#[derive(Debug, Default)]
struct Shared {
    policies: HashSet<Arc<Policy>>,
    /// With how many those are looked for that no key has any more.
    sweep_at: usize,
}

impl Policies {
    /// With fewer nothing is looked for.
    const FEW: usize = 64;

    /// The one that is equal to `policy`.
    pub(super) fn share(&self, policy: Policy) -> Arc<Policy> {
        // Nothing that panics runs under the lock.
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shared.policies.get(&policy) {
            return Arc::clone(known);
        }
        if shared.policies.len() >= shared.sweep_at {
            shared
                .policies
                .retain(|policy| Arc::strong_count(policy) > 1);
            // Twice what is left, so that a sweep costs each new policy next to nothing.
            shared.sweep_at = Self::FEW.max(2 * shared.policies.len());
        }
        let policy = Arc::new(policy);
        shared.policies.insert(Arc::clone(&policy));
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(scope: usize) -> Policy {
        Policy {
            environment: Environment::live(),
            scopes: format!("reports:{scope}").parse().unwrap(),
        }
    }

    #[test]
    fn equal_policies_are_one() {
        let policies = Policies::default();
        let one = policies.share(policy(1));
        assert!(Arc::ptr_eq(&one, &policies.share(policy(1))));
        assert!(!Arc::ptr_eq(&one, &policies.share(policy(2))));
        let test = Policy {
            environment: Environment::test(),
            ..policy(1)
        };
        assert!(!Arc::ptr_eq(&one, &policies.share(test)));
    }

    #[test]
    fn those_that_no_key_has_are_forgotten() {
        let policies = Policies::default();
        let held = policies.share(policy(0));
        (1..10_000).for_each(|scope| drop(policies.share(policy(scope))));
        let count = policies.0.lock().unwrap().policies.len();
        assert!(count <= 2 * Policies::FEW, "{count}");
        assert!(Arc::ptr_eq(&held, &policies.share(policy(0))));
    }
}
