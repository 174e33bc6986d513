//! Finds the secrets that are none.
//!
//! A token is as good as the secret behind it, and the usual ways to lose it are to keep the one from the example
//! file, to make one up at the keyboard, and to configure a public key where a secret belongs. These are found
//! here, when the service starts. It is a net for accidents: a text that was made up well cannot be told from a
//! random one.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::HmacSecret;

/// What example files, tutorials and hurried people write, in lower case and without punctuation. Each is long
/// enough that a random text does not hold it by chance.
const KNOWN: &[&str] = &[
    // Whole secrets: the FastAPI tutorial, RFC 7515 A.1, RFC 7520 3.5, and jwt.io past and present.
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "aym1sysppbydfgzld3umj1qzkobwvmkoqqestjqlrt1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow",
    "hjtxiz2usn5kbqfbttnwbpdmhkv8fjgonbc6mxccyg",
    "avalidstringsecretthatisatleast512bitslongwhichisverylong",
    "astringsecretatleast256bitslong",
    "your256bitsecret",
    "your384bitsecret",
    "your512bitsecret",
    // Parts of secrets. The first two are those of CHANGE_ME_SUPER_SECRET.
    "changeme",
    "secret",
    "changethis",
    "replaceme",
    "replacethis",
    "password",
    "passphrase",
    "placeholder",
    "insecure",
    "default",
    "example",
    "testing",
    "development",
    "production",
    "localhost",
    "letmein",
    "signingkey",
    "privatekey",
    "correcthorse",
    "batterystaple",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "asdfgh",
    "zxcvbnm",
    "zxcvbn",
];

const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Refuses what is plainly not a secret.
pub(super) fn check(bytes: &[u8]) -> Result<(), InvalidSecret> {
    let decoded = base64(bytes);
    let wrapped = decoded
        .as_deref()
        .is_some_and(|bytes| looks_like_a_key(bytes));
    if looks_like_a_key(bytes) || wrapped {
        return Err(InvalidSecret::KeyFile);
    }
    if bytes.len() > HmacSecret::MAX_BYTES {
        return Err(InvalidSecret::TooLong);
    }
    let spelled = Zeroizing::new(GeneralPurpose::new(&URL_SAFE, ANY_PADDING).encode(bytes));
    if is_known(bytes)
        || is_known(spelled.as_bytes())
        || decoded.is_some_and(|bytes| is_known(&bytes))
    {
        return Err(InvalidSecret::Known);
    }
    if bytes.len() < HmacSecret::MIN_BYTES {
        return Err(InvalidSecret::TooShort);
    }
    if is_made_of_words(bytes) {
        return Err(InvalidSecret::Words);
    }
    shape(bytes)
}

/// Whether it owes its length to known words: what is left without them is no secret.
fn is_known(bytes: &[u8]) -> bool {
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let plain = letters.map(|&byte| char::from(byte.to_ascii_lowercase()));
    let mut rest = Zeroizing::new(plain.collect::<String>());
    let before = rest.len();
    for known in KNOWN {
        rest = Zeroizing::new(rest.replace(known, ""));
    }
    let found = rest.len() < before;
    found && (rest.len() < HmacSecret::MIN_BYTES || shape(rest.as_bytes()).is_err())
}

/// At least four words and nothing else: a sentence, and people say the same ones. A few digits are a year.
fn is_made_of_words(bytes: &[u8]) -> bool {
    let pieces: Vec<_> = bytes
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|piece| !piece.is_empty())
        .collect();
    let is_word = |piece: &[u8]| {
        let tail = &piece[1..];
        tail.iter().all(u8::is_ascii_lowercase) && piece[0].is_ascii_alphabetic()
            || piece.iter().all(u8::is_ascii_uppercase)
            || piece.len() <= 4 && piece.iter().all(u8::is_ascii_digit)
    };
    let is_text = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    is_text && pieces.len() >= 4 && pieces.iter().all(|piece| is_word(piece))
}

/// What no 32 random bytes, and no random text of that length, look like. For 32 hexadecimal digits, the poorest
/// there may be, each of these is less likely than one in ten million.
fn shape(bytes: &[u8]) -> Result<(), InvalidSecret> {
    let mut counts = [0_usize; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let different = counts.iter().filter(|&&count| count > 0).count();
    let commonest = counts.iter().max().copied().unwrap_or(0);
    if different < 8 || commonest * 2 > bytes.len() {
        return Err(InvalidSecret::Weak);
    }
    let steps = bytes
        .windows(2)
        .filter(|pair| pair[0].abs_diff(pair[1]) <= 1);
    let triples: BTreeSet<_> = bytes.windows(3).collect();
    let runs = steps.count() * 3 > bytes.len() * 2;
    let repeats = triples.len() * 5 < bytes.windows(3).len() * 3;
    if runs || repeats {
        return Err(InvalidSecret::Repetitive);
    }
    Ok(())
}

/// A PEM file, an SSH key, a JWK or a DER structure. A public key among them is known to everybody, and taking one
/// for a secret is how tokens get forged.
fn looks_like_a_key(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let is_json = text.starts_with(b"{") || text.starts_with(b"[");
    holds(b"-----BEGIN")
        || text.starts_with(b"ssh-")
        || text.starts_with(b"ecdsa-sha2-")
        || is_json && (holds(b"\"kty\"") || holds(b"\"keys\""))
        || is_der(bytes)
}

/// A DER sequence that begins with a sequence or an integer, as every key and certificate does.
fn is_der(bytes: &[u8]) -> bool {
    let (length, content) = match bytes {
        [0x30, length @ ..=0x7F, content @ ..] | [0x30, 0x81, length, content @ ..] => {
            (usize::from(*length), content)
        }
        [0x30, 0x82, high, low, content @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), content)
        }
        _ => return false,
    };
    content.len() == length && matches!(content, [0x30 | 0x02, ..])
}

/// What the text says in base64 of either alphabet, over as many lines as it likes.
fn base64(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let dense = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    let dense = Zeroizing::new(dense.copied().collect::<Vec<u8>>());
    [&STANDARD, &URL_SAFE].into_iter().find_map(|alphabet| {
        let engine = GeneralPurpose::new(alphabet, ANY_PADDING);
        engine.decode(&*dense).ok().map(Zeroizing::new)
    })
}

/// Why a text or some bytes are no secret to sign tokens with. It never holds a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// Fewer than 32 bytes.
    TooShort,
    /// More than 1,024 bytes: some other file.
    TooLong,
    /// A secret from an example, as it is or padded or repeated.
    Known,
    /// Hardly any two bytes differ.
    Weak,
    /// It repeats itself, or counts up or down.
    Repetitive,
    /// A sentence.
    Words,
    /// A key or certificate file (PEM, DER, JWK, SSH).
    KeyFile,
}

impl fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self {
            Self::TooShort => "shorter than 32 bytes",
            Self::TooLong => "longer than 1,024 bytes",
            Self::Known => "one that everybody knows, or little more",
            Self::Weak => "not random: hardly any of its bytes differ",
            Self::Repetitive => "not random: it repeats itself or counts",
            Self::Words => "not random: it is made of words",
            Self::KeyFile => "a key or certificate file, not a secret",
        };
        write!(
            f,
            "the token secret is {why}; make one with: openssl rand -base64 32"
        )
    }
}

impl std::error::Error for InvalidSecret {}

#[cfg(test)]
mod tests;
