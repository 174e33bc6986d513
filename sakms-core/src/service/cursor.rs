//! Page cursors: where a list goes on, sealed so that only this service can make one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::keys::{KeySelection, Whose};
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

/// The list that a cursor belongs to.
pub(super) struct ListOf<'a> {
    /// The owner who asks.
    pub(super) caller: &'a Owner,
    /// What for.
    pub(super) selection: &'a KeySelection,
}

/// Seals cursors under a subkey of the master key, to the list they were made for.
pub(super) struct CursorSeal(Vec<Hmac<Sha256>>);

impl CursorSeal {
    pub(super) fn new(keys: &MasterKeys) -> Self {
        Self(keys.macs(Purpose::Cursor))
    }

    pub(super) fn seal(&self, of: &ListOf<'_>, last: KeyId) -> Cursor {
        let seal = seal_of(&self.0[0], of, last);
        Cursor(URL_SAFE_NO_PAD.encode([last.as_bytes().as_slice(), &seal].concat()))
    }

    /// The key the cursor points at; `None` when this service did not make it for this list.
    pub(super) fn open(&self, of: &ListOf<'_>, cursor: &Cursor) -> Option<KeyId> {
        let mut bytes = [0_u8; 16 + SEAL_BYTES];
        // The library writes no more than it is given room for, and refuses a text that needs more.
        let length = URL_SAFE_NO_PAD.decode_slice(&cursor.0, &mut bytes).ok()?;
        let (id, seal) = bytes.split_at(16);
        let last = KeyId::from_bytes(id.try_into().ok()?);
        let genuine = self
            .0
            .iter()
            .any(|key| seal_of(key, of, last).ct_eq(seal).into());
        (length == bytes.len() && genuine).then_some(last)
    }
}

fn seal_of(key: &Hmac<Sha256>, of: &ListOf<'_>, last: KeyId) -> [u8; SEAL_BYTES] {
    let mut mac = key.clone().chain_update(last.as_bytes());
    let ListOf { caller, selection } = of;
    if **selection == KeySelection::default() {
        mac.update(caller.as_str().as_bytes());
    } else {
        // No owner begins with a byte that UTF-8 does not have.
        mac.update(&[0xFF]);
        mac.update(&parts_of(caller, selection));
    }
    let mac = mac.finalize().into_bytes();
    std::array::from_fn(|i| mac[i])
}

/// Everything that was asked for, of which no part can run into the next.
fn parts_of(caller: &Owner, selection: &KeySelection) -> Vec<u8> {
    let KeySelection {
        whose,
        state,
        environment,
        tag,
        unused_for,
        expires_before,
    } = selection;
    let whose = match whose {
        Whose::Own => "own".to_owned(),
        Whose::Of(owner) => format!("of {owner}"),
        Whose::Everybody => "everybody".to_owned(),
    };
    let parts = [
        Some(caller.to_string()),
        Some(whose),
        state.map(|state| state.as_str().to_owned()),
        environment.as_ref().map(ToString::to_string),
        tag.as_ref().map(ToString::to_string),
        unused_for.map(|span| span.as_micros().to_string()),
        expires_before.map(|moment| moment.to_string()),
    ];
    let mut bytes = Vec::new();
    for part in parts {
        match part {
            None => bytes.push(0),
            Some(text) => {
                bytes.push(1);
                bytes.extend((text.len() as u64).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;
    use crate::key::MasterKey;

    fn all_of(caller: &Owner) -> (&Owner, KeySelection) {
        (caller, KeySelection::default())
    }

    fn open(seal: &CursorSeal, list: &(&Owner, KeySelection), cursor: &Cursor) -> Option<KeyId> {
        let (caller, selection) = list;
        seal.open(&ListOf { caller, selection }, cursor)
    }

    #[test]
    fn a_cursor_opens_for_its_owner_alone_and_cannot_be_forged() {
        let seal = CursorSeal::new(&MasterKey::generate(&OsEntropy).unwrap().into());
        let (ada, bob): (Owner, Owner) = ("ada".parse().unwrap(), "bob".parse().unwrap());
        let id = KeyId::from_bytes([7; 16]);
        let (adas, bobs) = (all_of(&ada), all_of(&bob));
        let selection = &KeySelection::default();
        let cursor = seal.seal(
            &ListOf {
                caller: &ada,
                selection,
            },
            id,
        );
        assert_eq!(open(&seal, &adas, &cursor), Some(id));
        assert_eq!(open(&seal, &bobs, &cursor), None);
        for place in 0..cursor.0.len() {
            let mut text = cursor.0.clone().into_bytes();
            text[place] = if text[place] == b'A' { b'B' } else { b'A' };
            let forged = Cursor(String::from_utf8(text).unwrap());
            assert_eq!(open(&seal, &adas, &forged), None, "{place}");
        }
        for bad in [
            "",
            "A",
            "é",
            &cursor.0[1..],
            &format!("{}A", cursor.0),
            "' OR 1=1 --",
        ] {
            assert_eq!(open(&seal, &adas, &Cursor(bad.to_owned())), None, "{bad}");
        }
    }

    #[test]
    fn a_cursor_opens_for_what_it_was_made_for_alone() {
        let seal = CursorSeal::new(&MasterKey::generate(&OsEntropy).unwrap().into());
        let ada: Owner = "ada".parse().unwrap();
        let changes: [fn(&mut KeySelection); 11] = [
            |_| {},
            |all| all.whose = Whose::Of("ada".parse().unwrap()),
            |all| all.whose = Whose::Of("bob".parse().unwrap()),
            |all| all.whose = Whose::Everybody,
            |all| all.state = Some(crate::key::KeyState::Active),
            |all| all.state = Some(crate::key::KeyState::Revoked),
            |all| all.environment = Some("live".parse().unwrap()),
            |all| all.tag = Some("live".parse().unwrap()),
            |all| all.unused_for = Some(std::time::Duration::from_secs(1)),
            |all| all.unused_for = Some(std::time::Duration::from_secs(2)),
            |all| all.expires_before = Some(crate::clock::Timestamp::EPOCH),
        ];
        let lists = changes.map(|change| {
            let mut list = all_of(&ada);
            change(&mut list.1);
            list
        });
        let id = KeyId::from_bytes([7; 16]);
        for (place, (caller, selection)) in lists.iter().enumerate() {
            let cursor = seal.seal(&ListOf { caller, selection }, id);
            for (other, list) in lists.iter().enumerate() {
                let opens = open(&seal, list, &cursor).is_some();
                assert_eq!(opens, place == other, "{selection:?} in {:?}", list.1);
            }
        }
    }
}
