//! The compact form of a signed token (RFC 7515, section 7.1): taken apart and put together.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{TokenDenial, TokenError};

/// The longest token that is looked at, in bytes. One of ours has about 400.
pub(super) const MAX_BYTES: usize = 8 * 1024;
/// RFC 9068, section 2.1.
pub(super) const TYPE: &str = "at+jwt";

/// The header. It holds these three members and no others: whatever else there could be would bring a key along
/// (`jwk`, `jku`, `x5u`, `x5c`), compress, encrypt, or ask for something to be understood that is not (`crit`).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) typ: String,
    pub(super) kid: String,
}

/// A text that has the shape of a token, and nothing decoded but its header and signature.
pub(super) struct Compact<'a> {
    pub(super) header: Header,
    pub(super) signature: Vec<u8>,
    /// What the signature is over: the header and the claims as they stand in the text.
    pub(super) signed: &'a [u8],
    claims: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes a text apart. What is too long, or is not three parts of base64url, costs no more than a look.
    pub(super) fn parse(text: &'a str) -> Result<Self, TokenDenial> {
        let alphabet =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.len() > MAX_BYTES || !text.bytes().all(alphabet) {
            return Err(TokenDenial::Malformed);
        }
        let mut parts = text.splitn(4, '.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenDenial::Malformed);
        };
        if header.is_empty() || claims.is_empty() || signature.is_empty() {
            return Err(TokenDenial::Malformed);
        }
        Ok(Self {
            header: object(header).ok_or(TokenDenial::Malformed)?,
            signature: bytes(signature).ok_or(TokenDenial::Malformed)?,
            signed: &text.as_bytes()[..header.len() + 1 + claims.len()],
            claims,
        })
    }

    /// The claims. To be called once the signature has been found to be right.
    pub(super) fn claims<T: DeserializeOwned>(&self) -> Result<T, TokenDenial> {
        object(self.claims).ok_or(TokenDenial::Claims)
    }
}

/// The part of a token that gets signed.
pub(super) fn to_be_signed(header: &Header, claims: &impl Serialize) -> Result<String, TokenError> {
    let header = serde_json::to_vec(header).map_err(TokenError::new)?;
    let claims = serde_json::to_vec(claims).map_err(TokenError::new)?;
    let mut text = URL_SAFE_NO_PAD.encode(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut text);
    Ok(text)
}

/// Puts the signature behind what it signs.
pub(super) fn append(mut signed: String, signature: &[u8]) -> String {
    signed.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut signed);
    signed
}

/// Bytes in their one spelling: no padding, and no bits to spare in the last character.
fn bytes(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

/// A JSON object. An array would do for serde as well, its items being taken for the members in turn.
fn object<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = bytes(part)?;
    if !json.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    serde_json::from_slice(&json).ok()
}
