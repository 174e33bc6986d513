//! What a key that manages keys may not go beyond: itself.
//!
//! This is the one place where it is decided. It goes by what the store says of the caller's key now, not by what is
//! remembered of it, so that a right that was taken away cannot be handed on.

use super::super::Sakms;
use super::super::caller::Caller;
use super::super::error::Error;
use super::roles::Roles;
use crate::clock::Timestamp;
use crate::key::{
    Environment, KeyRecord, KeyState, Limits, Quota, RateLimit, Refill, RoleSet, ScopeSet,
};

/// The most that a caller can make of a key, or leave it as.
#[derive(Debug)]
pub(super) enum Ceiling {
    /// Whoever is signed in, or for whom the host answers, has none.
    Open,
    /// A key hands on no more than it is.
    Key(Box<KeyRecord>, ScopeSet),
}

/// What a key is to be, as far as it is about what it may do.
#[derive(Debug)]
pub(super) struct Policy<'a> {
    /// Those of its roles, as the roles are now, among them.
    pub(super) scopes: &'a ScopeSet,
    pub(super) environment: &'a Environment,
    /// From when on it is good.
    pub(super) begins_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) limits: &'a Limits,
}

impl Ceiling {
    /// The key, where it is one that asks.
    pub(super) const fn key(&self) -> Option<&KeyRecord> {
        match self {
            Self::Open => None,
            Self::Key(key, _) => Some(key),
        }
    }

    /// Holds what a key is to be against what the caller is.
    pub(super) fn check(&self, policy: &Policy<'_>) -> Result<(), Error> {
        let Self::Key(key, scopes) = self else {
            return Ok(());
        };
        if let Some(missing) = scopes.missing(policy.scopes) {
            return Err(Error::MissingScope(missing.clone()));
        }
        let beyond = match () {
            () if *policy.environment != key.environment => {
                "a key makes keys of its own environment only"
            }
            () if key
                .expires_at
                .is_some_and(|end| policy.expires_at.is_none_or(|wanted| wanted > end)) =>
            {
                "a key makes no key that outlives it"
            }
            () if key.not_before.is_some_and(|start| policy.begins_at < start) => {
                "a key makes no key that begins before it"
            }
            () => match laxer(policy.limits, &key.limits) {
                Some(what) => what,
                None => return Ok(()),
            },
        };
        Err(Error::BeyondCaller(beyond))
    }
}

/// In what `wanted` limits less than `held`, if it does.
///
/// Each range of addresses must lie within one that is held. For each rate that is held there must be one that lets
/// through no more in the long run and no more at once, whatever it is called. A quota must be no larger and no sooner
/// full again.
fn laxer(wanted: &Limits, held: &Limits) -> Option<&'static str> {
    let ranges = &held.ip_ranges;
    let within = |range| ranges.iter().any(|held| held.covers(range));
    if !ranges.is_empty() && (wanted.ip_ranges.is_empty() || !wanted.ip_ranges.iter().all(within)) {
        return Some("a key that is limited to addresses makes keys for these addresses only");
    }
    let kept = |held: &RateLimit| wanted.rates.iter().any(|rate| no_faster(rate, held));
    if !held.rates.iter().all(kept) {
        return Some("a key with a rate limit makes no key without one as strict");
    }
    let enough = |held: Quota| wanted.quota.is_some_and(|quota| no_larger(quota, held));
    if !held.quota.is_none_or(enough) {
        return Some("a key with a quota makes no key without one as small");
    }
    None
}

fn no_faster(wanted: &RateLimit, held: &RateLimit) -> bool {
    let times = |requests: &RateLimit, seconds: &RateLimit| {
        u64::from(requests.requests.get()) * u64::from(seconds.seconds.get())
    };
    times(wanted, held) <= times(held, wanted) && wanted.burst() <= held.burst()
}

fn no_larger(wanted: Quota, held: Quota) -> bool {
    let no_sooner = match held.refill {
        Refill::Never => wanted.refill == Refill::Never,
        Refill::Monthly => wanted.refill != Refill::Daily,
        Refill::Daily => true,
    };
    no_sooner && wanted.amount <= held.amount
}

impl Sakms {
    /// What a caller cannot go beyond, and the roles, as far as they are needed to say so or to look `wanted` up.
    pub(super) async fn ceiling(
        &self,
        caller: &Caller,
        wanted: &RoleSet,
    ) -> Result<(Ceiling, Roles), Error> {
        let Some(id) = caller.key_id() else {
            return Ok((Ceiling::Open, self.roles_if(!wanted.is_empty()).await?));
        };
        let key = self.inner.keys.get(id).await?;
        let now = self.inner.clock.now();
        let good = key.filter(|key| KeyState::of(key, now) == KeyState::Active);
        let Some(key) = good else {
            return Err(Error::BeyondCaller(
                "the key that asks is not good any more",
            ));
        };
        // All of them: the key that is to be changed may get others before it is.
        let roles = self.roles_if(true).await?;
        let scopes = roles.scopes_with(&key.scopes, &key.roles);
        Ok((Ceiling::Key(Box::new(key), scopes), roles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::KeyId;

    const SCOPES: [&str; 8] = [
        "a:read",
        "a:write",
        "a:*",
        "b:read",
        "b:*",
        "keys:write",
        "keys:*",
        "*",
    ];

    fn subset(bits: usize) -> ScopeSet {
        let chosen = SCOPES.iter().enumerate();
        let chosen = chosen.filter(|(place, _)| bits >> place & 1 == 1);
        chosen.map(|(_, scope)| scope.parse().unwrap()).collect()
    }

    fn limits(json: &str) -> Limits {
        Limits::from_json(json).unwrap()
    }

    fn key() -> KeyRecord {
        let owner = "o".parse().unwrap();
        let id = KeyId::from_bytes([1; 16]);
        KeyRecord::new(id, owner, Environment::live(), Timestamp::EPOCH)
    }

    fn check(key: &KeyRecord, wanted: &KeyRecord) -> Result<(), String> {
        let ceiling = Ceiling::Key(Box::new(key.clone()), key.scopes.clone());
        let policy = Policy {
            scopes: &wanted.scopes,
            environment: &wanted.environment,
            begins_at: wanted.not_before.unwrap_or(Timestamp::EPOCH),
            expires_at: wanted.expires_at,
            limits: &wanted.limits,
        };
        ceiling.check(&policy).map_err(|error| error.to_string())
    }

    /// What a set opens, worked out scope by scope: `keys:read` stands for what no scope of the eight names.
    fn opens(bits: usize) -> u32 {
        let atoms = [
            "a:read",
            "a:write",
            "a:x",
            "b:read",
            "b:x",
            "keys:write",
            "keys:x",
            "c:x",
        ];
        let held = |scope: &str| SCOPES.iter().position(|other| *other == scope);
        let has = |scope: &str| held(scope).is_some_and(|place| bits >> place & 1 == 1);
        let opened = atoms.iter().enumerate().filter(|(_, atom)| {
            let resource = atom.split(':').next().unwrap();
            has("*") || has(&format!("{resource}:*")) || has(atom)
        });
        opened.map(|(place, _)| 1 << place).sum()
    }

    #[test]
    fn no_subset_of_eight_scopes_gives_more_than_it_has() {
        let sets: Vec<_> = (0..256).map(subset).collect();
        for (held, set) in sets.iter().enumerate() {
            let mut key = key();
            key.scopes = set.clone();
            for (wanted, asked) in sets.iter().enumerate() {
                let mut made = self::key();
                made.scopes = asked.clone();
                let within = opens(wanted) & !opens(held) == 0;
                assert_eq!(check(&key, &made).is_ok(), within, "{set} makes {asked}");
            }
        }
    }

    #[test]
    fn a_limited_key_makes_none_that_is_limited_less() {
        let hourly = r#"{"rates":[{"name":"a","requests":60,"seconds":3600,"burst":5}]}"#;
        let lan = r#"{"ip_ranges":["10.0.0.0/8","2001:db8::/32"]}"#;
        let monthly = r#"{"quota":{"amount":100,"refill":"monthly"}}"#;
        for (held, wanted, good) in [
            ("{}", "{}", true),
            ("{}", hourly, true),
            (hourly, hourly, true),
            (hourly, "{}", false),
            (
                hourly,
                r#"{"rates":[{"name":"b","requests":1,"seconds":60}]}"#,
                true,
            ),
            (
                hourly,
                r#"{"rates":[{"name":"a","requests":2,"seconds":60}]}"#,
                false,
            ),
            (
                hourly,
                r#"{"rates":[{"name":"a","requests":60,"seconds":3600}]}"#,
                false,
            ),
            (lan, lan, true),
            (lan, "{}", false),
            (lan, r#"{"ip_ranges":["10.1.0.0/16"]}"#, true),
            (lan, r#"{"ip_ranges":["10.1.0.0/16","192.0.2.1"]}"#, false),
            (lan, r#"{"ip_ranges":["0.0.0.0/0"]}"#, false),
            (lan, r#"{"ip_ranges":["2001:db8:1::/48"]}"#, true),
            (monthly, monthly, true),
            (monthly, "{}", false),
            (
                monthly,
                r#"{"quota":{"amount":101,"refill":"monthly"}}"#,
                false,
            ),
            (monthly, r#"{"quota":{"amount":100}}"#, true),
            (monthly, r#"{"quota":{"amount":1,"refill":"daily"}}"#, false),
        ] {
            let (mut key, mut made) = (key(), key());
            key.limits = limits(held);
            made.limits = limits(wanted);
            assert_eq!(check(&key, &made).is_ok(), good, "{held} makes {wanted}");
        }
    }

    #[test]
    fn no_key_outlives_or_precedes_the_one_that_makes_it_or_leaves_its_environment() {
        let at = |micros| Timestamp::from_micros(micros);
        let mut key = key();
        (key.not_before, key.expires_at) = (at(5), at(9));
        for (not_before, expires_at, good) in [
            (at(5), at(9), true),
            (at(6), at(8), true),
            (at(4), at(9), false),
            (None, at(9), false),
            (at(5), at(10), false),
            (at(5), None, false),
        ] {
            let mut made = self::key();
            (made.not_before, made.expires_at) = (not_before, expires_at);
            assert_eq!(
                check(&key, &made).is_ok(),
                good,
                "{not_before:?} {expires_at:?}"
            );
        }
        let mut made = key.clone();
        made.environment = Environment::test();
        assert!(check(&key, &made).is_err());
    }
}
