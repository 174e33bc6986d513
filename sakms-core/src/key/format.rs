//! The text of a key.
//!
//! ```text
//! acme_live_<id 22><secret 43><tag 11>
//! ```
//!
//! - `id`: the 16 bytes of the secret's id, public, what a check looks up;
//! - `secret`: 32 bytes from the source of randomness;
//! - `tag`: the first 8 bytes of HMAC-SHA-256 (RFC 2104) over everything before it, under a subkey of the
//!   master key ([`MasterKeys`]).
//!
//! All three are `base62` of a fixed width. The tag is a filter in front of the proof, not the
//! proof: a text that was mistyped or made up ends here, without a look at the database and without a hash.
//!
//! The text is read from the right, so a prefix may hold `_`. There is one version so far; another would have
//! another length, and this parser would tell them apart by it.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::base62;
use super::master::{MasterKeys, Purpose};
use super::word::{Environment, InvalidWord, KeyPrefix};
use crate::id::SecretId;
use crate::secret::{KeySecret, NewKeyText};

const ID_WIDTH: usize = 22;
const SECRET_WIDTH: usize = 43;
const TAG_WIDTH: usize = 11;
const TAG_BYTES: usize = 8;
const BODY_WIDTH: usize = ID_WIDTH + SECRET_WIDTH + TAG_WIDTH;
/// How many characters of the id a list shows after the prefix.
const SHOWN_ID: usize = 6;

/// The text is not a key of this service: wrong shape, wrong prefix, or a tag this service did not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedKey;

impl fmt::Display for MalformedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a key of this service")
    }
}

impl std::error::Error for MalformedKey {}

/// What a key text says. Its tag was right; whether its secret is, only the stored hash can tell.
#[derive(Debug)]
pub struct ParsedKey {
    /// Which secret to look up.
    pub id: SecretId,
    /// What the text proves with.
    pub secret: KeySecret,
    /// The place of the environment in the list the format was built with.
    environment: usize,
}

/// A key text that was just made, and what a list may show of it.
#[derive(Debug)]
pub struct MintedKey {
    /// The whole text, for its owner, once.
    pub text: NewKeyText,
    /// The text up to the first 6 characters of the id. It holds no part of the secret.
    pub shown_prefix: String,
}

/// Makes and reads the key texts of one service.
pub struct KeyFormat {
    prefix: KeyPrefix,
    environments: Vec<Environment>,
    /// One keyed state per master key, the current one first.
    taggers: Vec<Hmac<Sha256>>,
}

impl fmt::Debug for KeyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KeyFormat");
        shown
            .field("prefix", &self.prefix)
            .field("environments", &self.environments)
            .finish_non_exhaustive()
    }
}

impl KeyFormat {
    /// A format with this prefix and these environments; the first one is what a key gets when none is named.
    ///
    /// # Errors
    /// [`InvalidWord`] when there is no environment.
    pub fn new(
        prefix: KeyPrefix,
        environments: Vec<Environment>,
        keys: &MasterKeys,
    ) -> Result<Self, InvalidWord> {
        if environments.is_empty() {
            return Err(InvalidWord::ENVIRONMENT);
        }
        Ok(Self {
            prefix,
            environments,
            taggers: keys.macs(Purpose::KeyTag),
        })
    }

    /// The environments a key may have, the default first.
    #[must_use]
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// The environment a parsed key's text names.
    #[must_use]
    pub fn environment_of(&self, key: &ParsedKey) -> &Environment {
        &self.environments[key.environment]
    }

    /// Writes the text of a secret.
    ///
    /// # Errors
    /// [`InvalidWord`] when the format does not know `environment`.
    pub fn mint(
        &self,
        environment: &Environment,
        id: SecretId,
        secret: &KeySecret,
    ) -> Result<MintedKey, InvalidWord> {
        if !self.environments.contains(environment) {
            return Err(InvalidWord::ENVIRONMENT);
        }
        let mut body = Zeroizing::new([0_u8; BODY_WIDTH]);
        base62::encode(id.as_bytes(), &mut body[..ID_WIDTH]);
        base62::encode(
            secret.expose(),
            &mut body[ID_WIDTH..ID_WIDTH + SECRET_WIDTH],
        );

        let head_width = self.prefix.as_str().len() + environment.as_str().len() + 2;
        let mut text = String::with_capacity(head_width + BODY_WIDTH);
        text.extend([self.prefix.as_str(), "_", environment.as_str(), "_"]);
        text.extend(
            body[..ID_WIDTH + SECRET_WIDTH]
                .iter()
                .copied()
                .map(char::from),
        );
        let tag = tag_of(&self.taggers[0], text.as_bytes());
        base62::encode(&tag, &mut body[ID_WIDTH + SECRET_WIDTH..]);
        text.extend(
            body[ID_WIDTH + SECRET_WIDTH..]
                .iter()
                .copied()
                .map(char::from),
        );

        let shown_prefix = text[..head_width + SHOWN_ID].to_owned();
        Ok(MintedKey {
            text: NewKeyText::new(text),
            shown_prefix,
        })
    }

    /// Whether `text` is as long as a key of this service, and no more than that: a look that costs nothing.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let head = text
            .len()
            .checked_sub(BODY_WIDTH + self.prefix.as_str().len() + 2);
        head.is_some_and(|environment| (1..=Environment::MAX_BYTES).contains(&environment))
    }

    /// Reads a key text: shape first, then the tag, then the rest. No allocation, no I/O.
    ///
    /// # Errors
    /// [`MalformedKey`], the same for every reason: a stranger learns nothing from it.
    pub fn parse(&self, text: &str) -> Result<ParsedKey, MalformedKey> {
        let bytes = text.as_bytes();
        let head_width = bytes.len().checked_sub(BODY_WIDTH).ok_or(MalformedKey)?;
        let (head, body) = bytes.split_at(head_width);
        let environment = self.environment_in(head).ok_or(MalformedKey)?;

        let (signed, tag) = bytes.split_at(head_width + ID_WIDTH + SECRET_WIDTH);
        let tag = base62::decode::<TAG_BYTES>(tag).ok_or(MalformedKey)?;
        if !self.made_here(signed, tag) {
            return Err(MalformedKey);
        }
        let id = base62::decode::<16>(&body[..ID_WIDTH]).ok_or(MalformedKey)?;
        let mut secret =
            base62::decode::<32>(&body[ID_WIDTH..ID_WIDTH + SECRET_WIDTH]).ok_or(MalformedKey)?;
        let parsed = ParsedKey {
            id: SecretId::from_bytes(id),
            secret: KeySecret::new(secret),
            environment,
        };
        secret.zeroize();
        Ok(parsed)
    }

    fn environment_in(&self, head: &[u8]) -> Option<usize> {
        let name = head
            .strip_prefix(self.prefix.as_str().as_bytes())?
            .strip_prefix(b"_")?
            .strip_suffix(b"_")?;
        self.environments
            .iter()
            .position(|environment| environment.as_str().as_bytes() == name)
    }

    fn made_here(&self, signed: &[u8], tag: [u8; TAG_BYTES]) -> bool {
        self.taggers
            .iter()
            .any(|tagger| tag_of(tagger, signed).ct_eq(&tag).into())
    }
}

fn tag_of(tagger: &Hmac<Sha256>, signed: &[u8]) -> [u8; TAG_BYTES] {
    let mac = tagger.clone().chain_update(signed).finalize().into_bytes();
    std::array::from_fn(|i| mac[i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::MasterKey;
    use proptest::prelude::*;

    fn master(first: u8) -> MasterKey {
        MasterKey::from_bytes(std::array::from_fn(|i| {
            first.wrapping_add(u8::try_from(i).unwrap())
        }))
        .unwrap()
    }

    fn format_with(prefix: &str, keys: impl Into<MasterKeys>) -> KeyFormat {
        let environments = vec![Environment::live(), Environment::test()];
        KeyFormat::new(prefix.parse().unwrap(), environments, &keys.into()).unwrap()
    }

    fn minted(format: &KeyFormat, id: [u8; 16], secret: [u8; 32]) -> String {
        let minted = format
            .mint(
                &Environment::live(),
                SecretId::from_bytes(id),
                &KeySecret::new(secret),
            )
            .unwrap();
        minted.text.expose().to_owned()
    }

    /// Keys made by the first release, which every later one must still read.
    #[test]
    fn golden_keys_are_still_read() {
        let golden = include_str!("../../tests/golden/keys_v1.txt");
        let format = format_with("acme", master(0));
        let mut read = 0;
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let [text, id, secret]: [&str; 3] =
                line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let key = format.parse(text).unwrap();
            assert_eq!(key.id.to_string(), id);
            let hex: String = key
                .secret
                .expose()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(hex, secret);
            read += 1;
        }
        assert_eq!(read, 4);
    }

    #[test]
    fn a_retired_master_key_still_reads_and_a_removed_one_does_not() {
        let text = minted(&format_with("acme", master(0)), [7; 16], [9; 32]);
        let rotated = MasterKeys::new(master(1)).retire(master(0)).unwrap();
        assert!(format_with("acme", rotated).parse(&text).is_ok());
        assert!(format_with("acme", master(1)).parse(&text).is_err());
    }

    #[test]
    fn a_prefix_may_hold_underscores_and_is_not_another() {
        let format = format_with("acme_live", master(0));
        let text = minted(&format, [7; 16], [9; 32]);
        assert!(text.starts_with("acme_live_live_"));
        assert!(format.parse(&text).is_ok());
        assert!(format_with("acme", master(0)).parse(&text).is_err());
    }

    #[test]
    fn the_environment_is_read_back() {
        let format = format_with("acme", master(0));
        let minted = format
            .mint(
                &Environment::test(),
                SecretId::from_bytes([1; 16]),
                &KeySecret::new([2; 32]),
            )
            .unwrap();
        let parsed = format.parse(minted.text.expose()).unwrap();
        assert_eq!(format.environment_of(&parsed), &Environment::test());
        assert!(
            format
                .mint(
                    &"stage".parse().unwrap(),
                    SecretId::from_bytes([1; 16]),
                    &KeySecret::new([2; 32])
                )
                .is_err()
        );
    }

    #[test]
    fn what_a_list_shows_ends_in_the_id() {
        let format = format_with("acme", master(0));
        let minted = format
            .mint(
                &Environment::live(),
                SecretId::from_bytes([255; 16]),
                &KeySecret::new([2; 32]),
            )
            .unwrap();
        assert_eq!(minted.shown_prefix, "acme_live_7n42DG");
    }

    proptest! {
        #[test]
        fn a_minted_key_comes_back(id: [u8; 16], secret: [u8; 32]) {
            let format = format_with("acme", master(0));
            let parsed = format.parse(&minted(&format, id, secret)).unwrap();
            prop_assert_eq!(parsed.id.as_bytes(), &id);
            prop_assert_eq!(parsed.secret.expose(), &secret);
        }

        #[test]
        fn any_other_character_at_any_place_is_refused(id: [u8; 16], secret: [u8; 32], other in any::<char>()) {
            let format = format_with("acme", master(0));
            let text = minted(&format, id, secret);
            for place in 0..text.len() {
                let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
                prop_assert!(changed == text || format.parse(&changed).is_err(), "{} at {}", other, place);
            }
        }

        #[test]
        fn a_key_cut_short_or_drawn_out_is_refused(id: [u8; 16], secret: [u8; 32], more in "[0-9A-Za-z_]{1,90}") {
            let format = format_with("acme", master(0));
            let text = minted(&format, id, secret);
            for cut in 0..text.len() {
                prop_assert!(format.parse(&text[..cut]).is_err());
                prop_assert!(cut == 0 || format.parse(&text[cut..]).is_err());
            }
            for longer in [format!("{text}{more}"), format!("{more}{text}")] {
                prop_assert!(format.parse(&longer).is_err());
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>(), tail in "[0-9A-Za-z]{76}") {
            let format = format_with("acme", master(0));
            prop_assert!(format.parse(&text).is_err());
            let shaped = format!("acme_live_{tail}");
            prop_assert!(format.parse(&shaped).is_err());
        }
    }

    /// Every character of the alphabet at every place: 86 places, 62 characters.
    #[test]
    fn every_single_character_change_is_refused() {
        let format = format_with("acme", master(0));
        let text = minted(&format, *b"0123456789abcdef", [0xA5; 32]);
        let mut tried = 0;
        for place in 0..text.len() {
            for other in (b'0'..=b'9')
                .chain(b'A'..=b'Z')
                .chain(b'a'..=b'z')
                .map(char::from)
            {
                let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
                if changed != text {
                    assert!(format.parse(&changed).is_err(), "{other} at {place}");
                    tried += 1;
                }
            }
        }
        assert!(tried >= 86 * 61);
    }
}
