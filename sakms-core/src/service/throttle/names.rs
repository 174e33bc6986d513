//! What is counted, by name: a keyed digest of it, so that neither memory nor the store holds addresses of people.

use std::fmt;
use std::net::IpAddr;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::table::Id;
use crate::account::Email;
use crate::key::MasterKeys;
use crate::key::master::Purpose;

/// Names under a subkey of the master key: the same on every node, and nobody's to choose.
pub(super) struct Names(Option<Hmac<Sha256>>);

/// A network that somebody asks from: an IPv4 address, or the 64 bits of an IPv6 address that a provider gives to one customer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Source([u8; 9]);

impl Source {
    pub(super) fn of(address: IpAddr) -> Self {
        let mut bytes = [0; 9];
        match address.to_canonical() {
            IpAddr::V4(address) => {
                bytes[0] = 4;
                bytes[1..5].copy_from_slice(&address.octets());
            }
            IpAddr::V6(address) => {
                bytes[0] = 6;
                bytes[1..].copy_from_slice(&address.octets()[..8]);
            }
        }
        Self(bytes)
    }
}

impl Names {
    pub(super) fn new(keys: &MasterKeys) -> Self {
        Self(keys.current().mac(Purpose::Throttle))
    }

    /// An address that somebody signs in with: all spellings of one are one. What is no address is counted as it stands.
    pub(super) fn address(&self, given: &str) -> Id {
        match Email::parse(given) {
            Ok(email) => self.digest(b"account", &[email.canonical().as_str().as_bytes()]),
            Err(_) => self.digest(b"no account", &[given.as_bytes()]),
        }
    }

    pub(super) fn source(&self, source: Source) -> Id {
        self.digest(b"source", &[&source.0])
    }

    pub(super) fn registrations(&self, source: Source) -> Id {
        self.digest(b"registrations", &[&source.0])
    }

    pub(super) fn recovery(&self, source: Source) -> Id {
        self.digest(b"recovery", &[&source.0])
    }

    /// Mail to an address.
    pub(super) fn mail(&self, email: &Email) -> Id {
        self.digest(b"mail", &[email.canonical().as_str().as_bytes()])
    }

    /// An address and a source that is known to it.
    pub(super) fn pair(&self, address: &Id, source: Source) -> Id {
        self.digest(b"pair", &[address, &source.0])
    }

    /// Where the sources that are known to an address are kept.
    pub(super) fn known(&self, address: &Id) -> Id {
        self.digest(b"known", &[address])
    }

    /// A source among those that are known to an address. Short, for no more than telling a few of them apart.
    pub(super) fn known_source(&self, address: &Id, source: Source) -> u64 {
        let digest = self.digest(b"known source", &[address, &source.0]);
        digest
            .iter()
            .take(8)
            .fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    /// Every part goes in with its length, so that no two names are one.
    fn digest(&self, kind: &[u8], parts: &[&[u8]]) -> Id {
        // A MAC takes a key of any length, so there always is one.
        let Some(key) = &self.0 else {
            return Id::default();
        };
        let parts = [kind].into_iter().chain(parts.iter().copied());
        let mac = parts.fold(key.clone(), |mac, part| {
            let length = (part.len() as u64).to_be_bytes();
            mac.chain_update(length).chain_update(part)
        });
        let digest = mac.finalize().into_bytes();
        std::array::from_fn(|place| digest[place])
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;
    use crate::key::MasterKey;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn names() -> Names {
        Names::new(&MasterKey::generate(&OsEntropy).unwrap().into())
    }

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn a_source_is_a_network() {
        for (one, other, same) in [
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("4.0.0.0", "400::", false),
        ] {
            assert_eq!(source(one) == source(other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_thousand_spellings_of_an_address_are_one() {
        let names = names();
        let mut spellings = HashSet::new();
        let (local, domain) = ("margarete.hölderlin", "bücher.example");
        let wide = |letter: char| match letter {
            'a'..='z' => char::from_u32(u32::from(letter) + 0xFEE0).unwrap(),
            letter => letter,
        };
        for number in 0..1_024_u32 {
            let chosen = |place: usize| number >> (place % 10) & 1 == 1;
            let cased = local.chars().enumerate().map(|(place, letter)| {
                let letter = if chosen(place) { wide(letter) } else { letter };
                if chosen(place + 3) {
                    letter.to_uppercase().to_string()
                } else {
                    letter.to_string()
                }
            });
            let domain = match number % 4 {
                0 => "xn--bcher-kva.example".to_owned(),
                1 => domain.to_uppercase(),
                2 => "Bu\u{308}cher.Example".to_owned(),
                _ => domain.to_owned(),
            };
            spellings.insert(format!("{}@{domain}", cased.collect::<String>()));
        }
        assert!(spellings.len() >= 1_000, "{}", spellings.len());
        let counted: HashSet<_> = spellings.iter().map(|text| names.address(text)).collect();
        assert_eq!(counted.len(), 1);
    }

    proptest! {
        #[test]
        fn case_changes_no_name(local in "[a-zäöü0-9][a-zäöü0-9.+]{0,10}[a-z0-9]", domain in "[a-zäö]{1,9}\\.(com|example)", upper in any::<u32>()) {
            let text = format!("{local}@{domain}");
            let other: String = text.chars().enumerate().map(|(place, letter)| {
                if upper >> (place % 32) & 1 == 1 { letter.to_uppercase().to_string() } else { letter.to_string() }
            }).collect();
            let names = names();
            if Email::parse(&text).is_ok() {
                prop_assert_eq!(names.address(&text), names.address(&other));
            }
        }
    }
}
