//! The address that a key was last used from.

use std::hint::spin_loop;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// For how many turns a reader waits for a writer, which writes two words.
const TURNS: usize = 1_000;

/// An address that many write and one reads now and then, without a lock. Who finds another at it passes: of two uses at the
/// same time either may be the last.
#[derive(Debug, Default)]
pub(super) struct LastAddress {
    /// The two halves of an IPv6 address; an IPv4 address in its clothes. All zero while there is none.
    halves: [AtomicU64; 2],
    /// Whether somebody is at it, so that halves of two addresses never mix.
    taken: AtomicBool,
}

impl LastAddress {
    pub(super) fn set(&self, address: IpAddr) {
        let bits = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        };
        let new = halves(bits);
        // Mostly it is the same as before.
        let is = |place: usize| self.halves[place].load(Ordering::Relaxed) == new[place];
        if is(0) && is(1) || self.taken.swap(true, Ordering::Acquire) {
            return;
        }
        self.write(new);
        self.taken.store(false, Ordering::Release);
    }

    /// Takes the address; `None` when there is none, or it is being written for too long.
    pub(super) fn take(&self) -> Option<IpAddr> {
        let free = |_: &usize| !self.taken.swap(true, Ordering::Acquire);
        (0..TURNS).inspect(|_| spin_loop()).find(free)?;
        let [upper, lower] = [0, 1].map(|place: usize| self.halves[place].load(Ordering::Relaxed));
        self.write([0; 2]);
        self.taken.store(false, Ordering::Release);
        let bits = u128::from(upper) << 64 | u128::from(lower);
        (bits != 0).then(|| IpAddr::V6(Ipv6Addr::from_bits(bits)).to_canonical())
    }

    fn write(&self, [upper, lower]: [u64; 2]) {
        self.halves[0].store(upper, Ordering::Relaxed);
        self.halves[1].store(lower, Ordering::Relaxed);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves, in turn")]
const fn halves(bits: u128) -> [u64; 2] {
    [(bits >> 64) as u64, bits as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back_once() {
        let last = LastAddress::default();
        assert_eq!(last.take(), None);
        for text in ["192.0.2.7", "2001:db8::1", "255.255.255.255", "::1"] {
            let address: IpAddr = text.parse().unwrap();
            last.set(address);
            last.set(address);
            assert_eq!(last.take(), Some(address), "{text}");
            assert_eq!(last.take(), None);
        }
        last.set("::ffff:192.0.2.7".parse().unwrap());
        assert_eq!(last.take(), Some("192.0.2.7".parse().unwrap()));
    }

    #[test]
    fn halves_of_two_addresses_never_mix() {
        let last = LastAddress::default();
        std::thread::scope(|scope| {
            for writer in 1..4_u128 {
                let last = &last;
                scope.spawn(move || {
                    for round in 0..20_000_u128 {
                        let half = writer << 32 | round;
                        last.set(IpAddr::V6(Ipv6Addr::from_bits(half << 64 | half)));
                    }
                });
            }
            for _ in 0..20_000 {
                if let Some(IpAddr::V6(address)) = last.take() {
                    let [upper, lower] = halves(address.to_bits());
                    assert_eq!(upper, lower);
                }
            }
        });
    }
}
