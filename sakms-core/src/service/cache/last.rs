//! When a key was last used, and from where: written by many threads, read now and then.

use std::hint::spin_loop;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use crate::clock::Timestamp;

/// For how many turns a reader waits for a writer, which writes four words.
const TURNS: usize = 1_000;

/// The latest of the moments that it was set to.
#[derive(Debug, Default)]
pub(super) struct LastMoment(AtomicI64);

impl LastMoment {
    pub(super) fn set(&self, moment: Timestamp) {
        self.0.fetch_max(moment.as_micros(), Ordering::Relaxed);
    }

    /// [`Timestamp::EPOCH`] when it was never set.
    pub(super) fn get(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed)).unwrap_or(Timestamp::EPOCH)
    }
}

/// The same to the second and until the year 2106, in half of the room.
#[derive(Debug, Default)]
pub(super) struct LastSecond(AtomicU32);

impl LastSecond {
    pub(super) fn set(&self, moment: Timestamp) {
        let second = u32::try_from(moment.as_secs()).unwrap_or(u32::MAX);
        self.0.fetch_max(second, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Timestamp {
        let second = i64::from(self.0.load(Ordering::Relaxed));
        Timestamp::from_micros(second * 1_000_000).unwrap_or(Timestamp::EPOCH)
    }
}

/// An address that many write and one reads, without a lock. Who finds another at it passes: of two uses at the same time
/// either may be the last.
#[derive(Debug, Default)]
pub(super) struct LastAddress {
    /// The parts of an IPv6 address; an IPv4 address in its clothes. All zero while there is none.
    parts: [AtomicU32; 4],
    /// Whether somebody is at it, so that parts of two addresses never mix.
    taken: AtomicBool,
}

impl LastAddress {
    pub(super) fn set(&self, address: IpAddr) {
        let new = parts(match address {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        });
        // Mostly it is the same as before.
        if self.read() == new || self.taken.swap(true, Ordering::Acquire) {
            return;
        }
        self.write(new);
        self.taken.store(false, Ordering::Release);
    }

    /// Takes the address; `None` when there is none, or it is being written for too long.
    pub(super) fn take(&self) -> Option<IpAddr> {
        let free = |_: &usize| !self.taken.swap(true, Ordering::Acquire);
        (0..TURNS).inspect(|_| spin_loop()).find(free)?;
        let parts = self.read();
        self.write([0; 4]);
        self.taken.store(false, Ordering::Release);
        let bits = parts
            .iter()
            .fold(0, |bits, part| bits << 32 | u128::from(*part));
        (bits != 0).then(|| IpAddr::V6(Ipv6Addr::from_bits(bits)).to_canonical())
    }

    fn read(&self) -> [u32; 4] {
        self.parts
            .each_ref()
            .map(|part| part.load(Ordering::Relaxed))
    }

    fn write(&self, parts: [u32; 4]) {
        for (place, part) in self.parts.iter().zip(parts) {
            place.store(part, Ordering::Relaxed);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the four parts, in turn")]
fn parts(bits: u128) -> [u32; 4] {
    [96, 64, 32, 0].map(|shift| (bits >> shift) as u32)
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
    fn parts_of_two_addresses_never_mix() {
        let last = LastAddress::default();
        std::thread::scope(|scope| {
            for writer in 1..4_u32 {
                let last = &last;
                scope.spawn(move || {
                    for round in 0..20_000_u32 {
                        let part = u128::from(writer << 16 | round);
                        let bits = part << 96 | part << 64 | part << 32 | part;
                        last.set(IpAddr::V6(Ipv6Addr::from_bits(bits)));
                    }
                });
            }
            for _ in 0..20_000 {
                if let Some(IpAddr::V6(address)) = last.take() {
                    let parts = parts(address.to_bits());
                    assert_eq!(parts, [parts[0]; 4]);
                }
            }
        });
    }

    #[test]
    fn the_latest_moment_stays() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let (moment, second) = (LastMoment::default(), LastSecond::default());
        assert_eq!(
            (moment.get(), second.get()),
            (Timestamp::EPOCH, Timestamp::EPOCH)
        );
        for micros in [5_000_001, 3_000_000, 5_000_000] {
            moment.set(at(micros));
            second.set(at(micros));
        }
        assert_eq!((moment.get(), second.get()), (at(5_000_001), at(5_000_000)));
        second.set(Timestamp::MAX);
        assert!(second.get() > at(4_000_000_000_000_000));
    }
}
