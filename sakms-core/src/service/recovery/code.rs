//! The text of a code that is mailed.
//!
//! ```text
//! <secret 43><tag 11>
//! ```
//!
//! 32 random bytes and the first 8 bytes of a MAC over them and what the code is for, both in base62. A text without our tag
//! ends here, without a look at the database. What is stored of a code is what it is found by: another MAC of the same, so
//! that who reads the database can neither send a code nor tell one.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::key::master::Purpose;
use crate::key::{MasterKeys, base62};
use crate::secret::{KeySecret, MailedCode};
use crate::store::StateId;

const SECRET_WIDTH: usize = 43;
const TAG_WIDTH: usize = 11;

/// What a code is for. One that is for one thing is none for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeUse {
    /// Another password.
    Reset,
    /// An account.
    Confirm,
}

impl CodeUse {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Reset => b"reset",
            Self::Confirm => b"confirm",
        }
    }
}

/// Makes and reads the codes of one service.
pub(in crate::service) struct CodeFormat {
    /// For each master key, the current one first, what makes the tag and what makes the id.
    keys: Vec<(Hmac<Sha256>, Hmac<Sha256>)>,
}

impl CodeFormat {
    pub(in crate::service) fn new(keys: &MasterKeys) -> Self {
        let tags = keys.macs(Purpose::MailedCodeTag);
        let ids = keys.macs(Purpose::MailedCodeId);
        Self {
            keys: tags.into_iter().zip(ids).collect(),
        }
    }

    /// Writes a code, and says what it is found by.
    pub(super) fn mint(&self, usage: CodeUse, secret: &KeySecret) -> (MailedCode, StateId) {
        let (tagger, namer) = &self.keys[0];
        let mut text = Zeroizing::new([0_u8; SECRET_WIDTH + TAG_WIDTH]);
        base62::encode(secret.expose(), &mut text[..SECRET_WIDTH]);
        base62::encode(&tag(tagger, usage, secret), &mut text[SECRET_WIDTH..]);
        let mut code = String::with_capacity(text.len());
        code.extend(text.iter().copied().map(char::from));
        (MailedCode::new(code), id(namer, usage, secret))
    }

    /// What a code is found by; `None`, for every reason alike, when it is none of this service for this use.
    pub(super) fn parse(&self, usage: CodeUse, code: &MailedCode) -> Option<StateId> {
        let text = code.expose().as_bytes();
        if text.len() != SECRET_WIDTH + TAG_WIDTH {
            return None;
        }
        let (secret, shown) = text.split_at(SECRET_WIDTH);
        let shown = base62::decode::<8>(shown)?;
        let mut bytes = base62::decode::<32>(secret)?;
        let secret = KeySecret::new(bytes);
        bytes.zeroize();
        let made_here = |(tagger, _): &&(Hmac<Sha256>, _)| {
            bool::from(tag(tagger, usage, &secret).ct_eq(&shown))
        };
        let (_, namer) = self.keys.iter().find(made_here)?;
        Some(id(namer, usage, &secret))
    }
}

fn tag(key: &Hmac<Sha256>, usage: CodeUse, secret: &KeySecret) -> [u8; 8] {
    let mac = mac(key, usage, secret);
    std::array::from_fn(|place| mac[place])
}

fn id(key: &Hmac<Sha256>, usage: CodeUse, secret: &KeySecret) -> StateId {
    StateId::from_bytes(mac(key, usage, secret))
}

/// The secret has one length, so no two inputs are one.
fn mac(key: &Hmac<Sha256>, usage: CodeUse, secret: &KeySecret) -> [u8; 32] {
    let mac = key.clone().chain_update(secret.expose());
    mac.chain_update(usage.label())
        .finalize()
        .into_bytes()
        .into()
}

impl fmt::Debug for CodeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeFormat([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;
    use crate::key::MasterKey;

    const SECRET: [u8; 32] = [0xA7; 32];

    fn format() -> CodeFormat {
        CodeFormat::new(&MasterKey::generate(&OsEntropy).unwrap().into())
    }

    #[test]
    fn a_code_is_found_again_and_is_for_one_use() {
        let format = format();
        let (code, id) = format.mint(CodeUse::Reset, &KeySecret::new(SECRET));
        assert_eq!(code.expose().len(), 54);
        assert_eq!(format.parse(CodeUse::Reset, &code), Some(id));
        assert_eq!(format.parse(CodeUse::Confirm, &code), None);
        let (_, other) = format.mint(CodeUse::Confirm, &KeySecret::new(SECRET));
        assert_ne!(id, other);
    }

    #[test]
    fn what_is_changed_anywhere_is_no_code() {
        let format = format();
        let (code, _) = format.mint(CodeUse::Reset, &KeySecret::new(SECRET));
        let text = code.expose();
        for place in 0..text.len() {
            let mut forged = text.to_owned().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = MailedCode::new(String::from_utf8(forged).unwrap());
            assert_eq!(format.parse(CodeUse::Reset, &forged), None, "{place}");
        }
        for bad in ["", "é", &text[1..], &format!("{text}A"), &"z".repeat(54)] {
            let bad = MailedCode::new(bad.to_owned());
            assert_eq!(format.parse(CodeUse::Reset, &bad), None);
        }
        assert_eq!(
            self::format().parse(CodeUse::Reset, &code),
            None,
            "another service's"
        );
    }

    #[test]
    fn a_retired_master_key_still_knows_its_codes() {
        let key = |byte: u8| {
            MasterKey::from_bytes(std::array::from_fn(|place| {
                byte ^ u8::try_from(place).unwrap_or(0)
            }))
            .unwrap()
        };
        let before = CodeFormat::new(&key(1).into());
        let (code, id) = before.mint(CodeUse::Reset, &KeySecret::new(SECRET));
        let keys = MasterKeys::new(key(128)).retire(key(1)).unwrap();
        assert_eq!(
            CodeFormat::new(&keys).parse(CodeUse::Reset, &code),
            Some(id)
        );
        let gone = CodeFormat::new(&key(128).into());
        assert_eq!(gone.parse(CodeUse::Reset, &code), None);
    }
}
