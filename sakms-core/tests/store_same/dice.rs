//! What is asked of the stores is drawn.

use std::net::IpAddr;

use sakms_core::clock::Timestamp;
use sakms_core::id::{KeyId, SecretId};
use sakms_core::key::{Environment, Limits, Owner, RoleName, RoleSet, TagSet};
use sakms_core::store::{
    IdempotencyId, IdempotencyRecord, RequestDigest, StateId, StateKind, StateRecord,
};
use sakms_core::testkit::fixtures;

const OWNERS: [&str; 6] = ["ada", "Ada", "ada\0", "ada\0b", "ada ", "owner:ada"];
const TAGS: [&str; 6] = ["", "a", "ab", "a b", "b", "a ab abc b c"];
const LIMITS: [&str; 3] = [
    "{}",
    r#"{"ip_ranges":["10.0.0.0/8"]}"#,
    r#"{"rates":[{"name":"a","requests":5,"seconds":60}],"quota":{"amount":9,"refill":"daily"}}"#,
];

/// Numbers that look drawn and are the same each time (`splitmix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    pub(crate) fn maybe<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(2).then(|| some(self))
    }

    /// One of few moments, so that they are often the same, on both sides of midnight.
    pub(crate) fn moment(&mut self) -> Timestamp {
        match self.below(12) {
            0 => Timestamp::EPOCH,
            1 => Timestamp::MAX,
            number => fixtures::at(number * 11_000_000_000),
        }
    }

    pub(crate) fn owner(&mut self) -> Owner {
        self.of(&OWNERS).parse().unwrap()
    }

    pub(crate) fn roles(&mut self) -> RoleSet {
        self.of(&TAGS).parse().unwrap()
    }

    pub(crate) fn role(&mut self) -> RoleName {
        format!("role{}", self.below(4)).parse().unwrap()
    }

    pub(crate) fn tags(&mut self) -> TagSet {
        self.of(&TAGS).parse().unwrap()
    }

    pub(crate) fn limits(&mut self) -> Limits {
        Limits::from_json(self.of(&LIMITS)).unwrap()
    }

    pub(crate) fn environment(&mut self) -> Environment {
        self.of(&[Environment::live(), Environment::test()])
    }

    pub(crate) fn request(&mut self, key: KeyId, secret: SecretId) -> IdempotencyRecord {
        let id = IdempotencyId::from_bytes([self.below(40) as u8; 32]);
        let request = RequestDigest::from_bytes([self.below(2) as u8; 32]);
        IdempotencyRecord::new(id, request, key, secret, self.moment())
    }

    /// Something that is kept for a while, often with an id that is taken.
    pub(crate) fn state(&mut self) -> StateRecord {
        let kind = self.of(&StateKind::ALL);
        let id = StateId::from_bytes([self.below(12) as u8; 32]);
        let owner = self.maybe(Self::owner);
        let value = vec![self.below(256) as u8; self.of(&[0, 1, 4_096, 4_097])];
        StateRecord::new(kind, id, owner, value, self.moment(), self.moment())
    }

    pub(crate) fn address(&mut self) -> IpAddr {
        let addresses = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"];
        self.of(&addresses).parse().unwrap()
    }
}
