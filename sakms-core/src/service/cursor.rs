//! Page cursors: where a list goes on, sealed so that only this service can make one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::id::KeyId;
use crate::key::master::Purpose;
use crate::key::{MasterKeys, Owner};

const SEAL_BYTES: usize = 16;

/// Where a list goes on: opaque text for whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// What a request presents as a cursor.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Seals cursors under a subkey of the master key, to the owner whose list it is.
pub(super) struct CursorSeal(Vec<Hmac<Sha256>>);

impl CursorSeal {
    pub(super) fn new(keys: &MasterKeys) -> Self {
        let seal = |key: &crate::key::MasterKey| {
            Hmac::new_from_slice(key.derive(Purpose::Cursor).as_ref()).ok()
        };
        Self(keys.all().filter_map(seal).collect())
    }

    pub(super) fn seal(&self, owner: &Owner, last: KeyId) -> Cursor {
        let seal = seal_of(&self.0[0], owner, last);
        Cursor(URL_SAFE_NO_PAD.encode([last.as_bytes().as_slice(), &seal].concat()))
    }

    /// The key the cursor points at; `None` when this service did not make it for this owner.
    pub(super) fn open(&self, owner: &Owner, cursor: &Cursor) -> Option<KeyId> {
        let mut bytes = [0_u8; 16 + SEAL_BYTES];
        // The library writes no more than it is given room for, and refuses a text that needs more.
        let length = URL_SAFE_NO_PAD.decode_slice(&cursor.0, &mut bytes).ok()?;
        let (id, seal) = bytes.split_at(16);
        let last = KeyId::from_bytes(id.try_into().ok()?);
        let genuine = self
            .0
            .iter()
            .any(|key| seal_of(key, owner, last).ct_eq(seal).into());
        (length == bytes.len() && genuine).then_some(last)
    }
}

fn seal_of(key: &Hmac<Sha256>, owner: &Owner, last: KeyId) -> [u8; SEAL_BYTES] {
    let mac = key
        .clone()
        .chain_update(last.as_bytes())
        .chain_update(owner.as_str())
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
    fn a_cursor_opens_for_its_owner_alone_and_cannot_be_forged() {
        let seal = CursorSeal::new(&MasterKey::generate(&OsEntropy).unwrap().into());
        let (ada, bob): (Owner, Owner) = ("ada".parse().unwrap(), "bob".parse().unwrap());
        let id = KeyId::from_bytes([7; 16]);
        let cursor = seal.seal(&ada, id);
        assert_eq!(seal.open(&ada, &cursor), Some(id));
        assert_eq!(seal.open(&bob, &cursor), None);
        for place in 0..cursor.0.len() {
            let mut text = cursor.0.clone().into_bytes();
            text[place] = if text[place] == b'A' { b'B' } else { b'A' };
            let forged = Cursor(String::from_utf8(text).unwrap());
            assert_eq!(seal.open(&ada, &forged), None, "{place}");
        }
        for bad in [
            "",
            "A",
            "é",
            &cursor.0[1..],
            &format!("{}A", cursor.0),
            "' OR 1=1 --",
        ] {
            assert_eq!(seal.open(&ada, &Cursor(bad.to_owned())), None, "{bad}");
        }
    }
}
