//! Cursors of lists other than that of keys: a place, sealed to the list it is of, so that only this service can make one
//! and nobody can go on with another list than the one they were shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::cursor::Cursor;
use super::error::Error;
use crate::key::MasterKeys;
use crate::key::master::Purpose;

const SEAL_BYTES: usize = 16;

/// Seals places under a subkey of the master key.
pub(super) struct ListSeal(Vec<Hmac<Sha256>>);

/// Which list a place is of: its name, for whom it was made, and what was asked.
pub(super) type List<'a> = [&'a str];

impl ListSeal {
    pub(super) fn new(keys: &MasterKeys) -> Self {
        Self(keys.macs(Purpose::ListPlace))
    }

    /// A cursor to the place in this list.
    pub(super) fn seal<const N: usize>(&self, list: &List<'_>, place: [u8; N]) -> Cursor {
        let seal = seal_of(&self.0[0], list, &place);
        Cursor::new(URL_SAFE_NO_PAD.encode([place.as_slice(), &seal].concat()))
    }

    /// The place a cursor leads to.
    ///
    /// # Errors
    /// [`Error::Invalid`] when this service did not make it for this list.
    pub(super) fn open<const N: usize>(
        &self,
        list: &List<'_>,
        cursor: &Cursor,
    ) -> Result<[u8; N], Error> {
        self.genuine(list, cursor).ok_or_else(|| {
            Error::field("cursor", "is not one that this service gave for this list")
        })
    }

    fn genuine<const N: usize>(&self, list: &List<'_>, cursor: &Cursor) -> Option<[u8; N]> {
        let mut bytes = [0_u8; 64];
        // The library writes no more than it is given room for, and refuses a text that needs more.
        let length = URL_SAFE_NO_PAD
            .decode_slice(cursor.as_str(), &mut bytes)
            .ok()?;
        let (place, seal) = bytes[..length].split_first_chunk::<N>()?;
        let same = |key: &Hmac<Sha256>| bool::from(seal_of(key, list, place).ct_eq(seal));
        self.0.iter().any(same).then_some(*place)
    }
}

/// Every part goes in with its length, so that no two lists give the same input.
fn seal_of(key: &Hmac<Sha256>, list: &List<'_>, place: &[u8]) -> [u8; SEAL_BYTES] {
    let parts = list.iter().map(|part| part.as_bytes()).chain([place]);
    let mac = parts
        .fold(key.clone(), |mac, part| {
            mac.chain_update((part.len() as u64).to_be_bytes())
                .chain_update(part)
        })
        .finalize()
        .into_bytes();
    std::array::from_fn(|i| mac[i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;
    use crate::key::MasterKey;

    #[test]
    fn a_place_opens_in_its_list_alone_and_cannot_be_forged() {
        let seal = ListSeal::new(&MasterKey::generate(&OsEntropy).unwrap().into());
        let place = *b"\x00\x01\x02\x03\x04\x05\x06\x07";
        let cursor = seal.seal(&["audit", "ada", "key.create"], place);
        let open = |list: &List<'_>, cursor: &Cursor| seal.open::<8>(list, cursor).ok();
        assert_eq!(open(&["audit", "ada", "key.create"], &cursor), Some(place));
        for other in [
            &["audit", "bob", "key.create"][..],
            &["audit", "ada", ""],
            &["audit", "adakey.create", ""],
            &["audit", "adakey.", "create"],
            &["accounts", "ada", "key.create"],
            &["audit", "ada"],
            &[],
        ] {
            assert_eq!(open(other, &cursor), None, "{other:?}");
        }
        let text = cursor.as_str();
        for place in 0..text.len() {
            let mut forged = text.to_owned().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = Cursor::new(String::from_utf8(forged).unwrap());
            assert_eq!(open(&["audit", "ada", "key.create"], &forged), None);
        }
        for bad in [
            "",
            "A",
            "é",
            &text[1..],
            &format!("{text}A"),
            &text.repeat(9),
        ] {
            let bad = Cursor::new(bad.to_owned());
            assert_eq!(open(&["audit", "ada", "key.create"], &bad), None);
        }
        assert!(
            seal.open::<16>(&["audit", "ada", "key.create"], &cursor)
                .is_err()
        );
    }
}
