//! The algebra over scopes.

use crate::key::{Scope, ScopeSet};

/// What must be true of the scopes of a key.
///
/// In one form only: no `All` directly in an `All`, no `AnyOf` directly in an `AnyOf`, none of fewer than two parts, and
/// `Any` nowhere but alone. So two that are written alike are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Expression {
    /// Nothing.
    #[default]
    Any,
    /// A scope that grants this one is held.
    Scope(Scope),
    All(Vec<Self>),
    AnyOf(Vec<Self>),
    Not(Box<Self>),
}

/// What is wrong with the scopes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault<'a> {
    /// None of them grants this one.
    Missing(&'a Scope),
    /// One of them grants this one, and must not.
    Held(&'a Scope),
}

impl Expression {
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Self::Any => {}
                Self::All(parts) => all.extend(parts),
                part => all.push(part),
            }
        }
        Self::joined(all, Self::All)
    }

    pub(super) fn any_of(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Vec::new();
        for part in parts {
            match part {
                Self::Any => return Self::Any,
                Self::AnyOf(parts) => any.extend(parts),
                part => any.push(part),
            }
        }
        Self::joined(any, Self::AnyOf)
    }

    pub(super) fn not(part: Self) -> Self {
        Self::Not(Box::new(part))
    }

    fn joined(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::Any,
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                join(parts)
            }
        }
    }

    /// Why a key that holds these scopes does not pass; `None` when it does.
    ///
    /// Of several alternatives none of which is met, the first that lacks a scope is named: holding that one would open the
    /// door, where a scope that must not be held cannot be mended by asking for more.
    pub(super) fn fault<'a>(&'a self, held: &ScopeSet) -> Option<Fault<'a>> {
        match self {
            Self::Any => None,
            Self::Scope(scope) => (!held.grants(scope)).then_some(Fault::Missing(scope)),
            Self::All(parts) => first_fault(parts, |part| part.fault(held)),
            Self::AnyOf(parts) => every_fault(parts, |part| part.fault(held)),
            Self::Not(part) => part.fault_of_opposite(held),
        }
    }

    /// The same for the opposite of this.
    fn fault_of_opposite<'a>(&'a self, held: &ScopeSet) -> Option<Fault<'a>> {
        match self {
            // Not built: there is no word for the opposite of `any`.
            Self::Any => None,
            Self::Scope(scope) => held.grants(scope).then_some(Fault::Held(scope)),
            Self::All(parts) => every_fault(parts, |part| part.fault_of_opposite(held)),
            Self::AnyOf(parts) => first_fault(parts, |part| part.fault_of_opposite(held)),
            Self::Not(part) => part.fault(held),
        }
    }
}

/// What is wrong with the first part with which something is.
fn first_fault<'a>(
    parts: &'a [Expression],
    fault: impl Fn(&'a Expression) -> Option<Fault<'a>>,
) -> Option<Fault<'a>> {
    parts.iter().find_map(fault)
}

/// What is wrong with all of them, if something is with each: a scope that is missing rather than one that is held.
fn every_fault<'a>(
    parts: &'a [Expression],
    fault: impl Fn(&'a Expression) -> Option<Fault<'a>>,
) -> Option<Fault<'a>> {
    let mut named = None;
    for part in parts {
        let fault = fault(part)?;
        let better = match named {
            None => true,
            Some(Fault::Held(_)) => matches!(fault, Fault::Missing(_)),
            Some(Fault::Missing(_)) => false,
        };
        if better {
            named = Some(fault);
        }
    }
    named
}
