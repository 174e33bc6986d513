//! The text of a refresh token.
//!
//! ```text
//! acme_refresh_<session 22><secret 43><tag 11>
//! ```
//!
//! It is made as the text of a key is ([`format`](crate::key::format)), under another subkey: neither is ever the other. A text
//! without our tag ends here, without a look at the database. What is stored of a token is a digest of it.
//!
//! The successor of a token is computed from it, under one more subkey: whoever presents a token again within the grace
//! gets the very same successor, though nobody has kept it.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::id::SessionId;
use crate::key::master::Purpose;
use crate::key::{KeyPrefix, MasterKeys, base62};
use crate::secret::{KeySecret, RefreshToken};

const ID_WIDTH: usize = 22;
const SECRET_WIDTH: usize = 43;
const TAG_WIDTH: usize = 11;
const SIGNED_WIDTH: usize = ID_WIDTH + SECRET_WIDTH;
const MARK: &str = "_refresh_";

/// What is stored of a token: its SHA-256. Its secret has 256 random bits, which nobody finds by trying.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(super) fn of(session: SessionId, secret: &KeySecret) -> Self {
        let digest = Sha256::new()
            .chain_update(b"sakms refresh digest v1")
            .chain_update(session.as_bytes())
            .chain_update(secret.expose());
        Self(digest.finalize().into())
    }

    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compared in constant time.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest([redacted])")
    }
}

/// What a refresh token says. Its tag was right.
#[derive(Debug)]
pub(super) struct ParsedToken {
    pub(super) session: SessionId,
    pub(super) secret: KeySecret,
}

/// Makes and reads the refresh tokens of one service.
pub(in crate::service) struct RefreshFormat {
    head: String,
    /// For each master key, the current one first, what makes the tag and what makes the successor.
    keys: Vec<(Hmac<Sha256>, Hmac<Sha256>)>,
}

impl RefreshFormat {
    pub(in crate::service) fn new(prefix: &KeyPrefix, keys: &MasterKeys) -> Self {
        let tags = keys.macs(Purpose::RefreshTag);
        let successors = keys.macs(Purpose::RefreshSuccessor);
        Self {
            head: format!("{}{MARK}", prefix.as_str()),
            keys: tags.into_iter().zip(successors).collect(),
        }
    }

    /// Writes a token.
    pub(super) fn mint(&self, session: SessionId, secret: &KeySecret) -> RefreshToken {
        let mut body = Zeroizing::new([0_u8; SIGNED_WIDTH + TAG_WIDTH]);
        base62::encode(session.as_bytes(), &mut body[..ID_WIDTH]);
        base62::encode(secret.expose(), &mut body[ID_WIDTH..SIGNED_WIDTH]);
        let tag = self.tag(&self.keys[0].0, &body[..SIGNED_WIDTH]);
        base62::encode(&tag, &mut body[SIGNED_WIDTH..]);
        let mut text = String::with_capacity(self.head.len() + body.len());
        text.push_str(&self.head);
        text.extend(body.iter().copied().map(char::from));
        RefreshToken::new(text)
    }

    /// Reads a token; `None`, for every reason alike, when it is none of this service.
    pub(super) fn parse(&self, token: &RefreshToken) -> Option<ParsedToken> {
        let body = token.expose().strip_prefix(&self.head)?.as_bytes();
        if body.len() != SIGNED_WIDTH + TAG_WIDTH {
            return None;
        }
        let (signed, tag) = body.split_at(SIGNED_WIDTH);
        let tag = base62::decode::<8>(tag)?;
        let made_here =
            |(tagger, _): &(Hmac<Sha256>, _)| bool::from(self.tag(tagger, signed).ct_eq(&tag));
        if !self.keys.iter().any(made_here) {
            return None;
        }
        let session = base62::decode::<16>(&signed[..ID_WIDTH])?;
        let mut secret = base62::decode::<32>(&signed[ID_WIDTH..])?;
        let parsed = ParsedToken {
            session: SessionId::from_bytes(session),
            secret: KeySecret::new(secret),
        };
        secret.zeroize();
        Some(parsed)
    }

    /// The secret of the token that comes after this one, which is the session's so-and-so-many-eth. One for each master key,
    /// that of the current one first: that one is given out, and any of them may have been a moment ago.
    pub(super) fn successors(
        &self,
        token: &ParsedToken,
        generation: u64,
    ) -> impl Iterator<Item = KeySecret> {
        self.keys.iter().map(move |(_, key)| {
            let mac = key
                .clone()
                .chain_update(token.session.as_bytes())
                .chain_update(generation.to_be_bytes())
                .chain_update(token.secret.expose());
            KeySecret::new(mac.finalize().into_bytes().into())
        })
    }

    fn tag(&self, tagger: &Hmac<Sha256>, signed: &[u8]) -> [u8; 8] {
        let mac = tagger.clone().chain_update(&self.head).chain_update(signed);
        let mac = mac.finalize().into_bytes();
        std::array::from_fn(|place| mac[place])
    }
}

impl fmt::Debug for RefreshFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshFormat")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SecretId;
    use crate::key::{Environment, KeyFormat, MasterKey};
    use proptest::prelude::*;

    fn master(first: u8) -> MasterKey {
        let bytes = std::array::from_fn(|i| first.wrapping_add(u8::try_from(i).unwrap()));
        MasterKey::from_bytes(bytes).unwrap()
    }

    fn format_of(keys: impl Into<MasterKeys>) -> RefreshFormat {
        RefreshFormat::new(&"acme".parse().unwrap(), &keys.into())
    }

    fn parse(format: &RefreshFormat, text: &str) -> Option<ParsedToken> {
        format.parse(&RefreshToken::new(text.to_owned()))
    }

    #[test]
    fn a_key_is_no_token_and_a_token_is_no_key() {
        let environments = vec!["refresh".parse::<Environment>().unwrap()];
        let keys =
            KeyFormat::new("acme".parse().unwrap(), environments, &master(0).into()).unwrap();
        let secret = KeySecret::new([9; 32]);
        let key = keys.mint(
            &keys.environments()[0],
            SecretId::from_bytes([7; 16]),
            &secret,
        );
        let key = key.unwrap().text.expose().to_owned();
        let format = format_of(master(0));
        let token = format.mint(SessionId::from_bytes([7; 16]), &secret);
        // All but the tag is the same.
        assert_eq!(
            key[..key.len() - TAG_WIDTH],
            token.expose()[..key.len() - TAG_WIDTH]
        );
        assert!(parse(&format, &key).is_none());
        assert!(keys.parse(token.expose()).is_err());
    }

    #[test]
    fn a_retired_master_key_still_reads_and_still_succeeds() {
        let old = format_of(master(0));
        let token = old.mint(SessionId::from_bytes([7; 16]), &KeySecret::new([9; 32]));
        let both = format_of(MasterKeys::new(master(1)).retire(master(0)).unwrap());
        let parsed = both.parse(&token).unwrap();
        let former: Vec<_> = old
            .successors(&parsed, 3)
            .map(|next| *next.expose())
            .collect();
        let now: Vec<_> = both
            .successors(&parsed, 3)
            .map(|next| *next.expose())
            .collect();
        assert_eq!((former.len(), now.len()), (1, 2));
        assert_eq!(former[0], now[1]);
        assert!(format_of(master(1)).parse(&token).is_none());
    }

    proptest! {
        #[test]
        fn a_token_comes_back_and_no_other_text_is_one(id: [u8; 16], secret: [u8; 32], other in any::<char>(), text in any::<String>()) {
            let format = format_of(master(0));
            let token = format.mint(SessionId::from_bytes(id), &KeySecret::new(secret));
            let parsed = format.parse(&token).unwrap();
            prop_assert_eq!((parsed.session.as_bytes(), parsed.secret.expose()), (&id, &secret));
            let whole = token.expose();
            for place in 0..whole.len() {
                let changed = format!("{}{other}{}", &whole[..place], &whole[place + 1..]);
                prop_assert!(changed == *whole || parse(&format, &changed).is_none(), "{} at {}", other, place);
                prop_assert!(parse(&format, &whole[..place]).is_none());
            }
            let longer = format!("{whole}0");
            prop_assert!(parse(&format, &longer).is_none());
            prop_assert!(parse(&format, &text).is_none());
        }

        #[test]
        fn a_successor_depends_on_all_it_is_made_of(id: [u8; 16], secret: [u8; 32], generation: u64) {
            let format = format_of(master(0));
            let next = |id, secret, generation| {
                let token = ParsedToken { session: SessionId::from_bytes(id), secret: KeySecret::new(secret) };
                let next = format.successors(&token, generation).next().unwrap();
                *next.expose()
            };
            let one = next(id, secret, generation);
            prop_assert_eq!(one, next(id, secret, generation));
            let mut other = id;
            other[0] ^= 1;
            prop_assert_ne!(one, next(other, secret, generation));
            let mut other = secret;
            other[0] ^= 1;
            prop_assert_ne!(one, next(id, other, generation));
            prop_assert_ne!(one, next(id, secret, generation ^ 1));
        }
    }
}
