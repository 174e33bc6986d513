//! The text of a key: what is accepted was made under one of the master keys, and is the one text of what it says.

use std::sync::LazyLock;

use hmac::{Hmac, Mac as _};
use sakms_core::id::SecretId;
use sakms_core::key::{Environment, KeyFormat, base62};
use sakms_core::secret::KeySecret;
use sha2::Sha256;

use crate::draw::Draw;
use crate::world;

const TAG_WIDTH: usize = 11;
/// Of the id and the secret.
const SIGNED_WIDTH: usize = 22 + 43;

struct Keys {
    format: KeyFormat,
    macs: [Hmac<Sha256>; 2],
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let environments = vec![Environment::live(), Environment::test()];
    let prefix = "acme_co".parse().unwrap();
    Keys {
        format: KeyFormat::new(prefix, environments, &world::master_keys()).unwrap(),
        macs: world::macs(b"sakms key tag v1"),
    }
});

impl Keys {
    fn mint(&self, environment: &Environment, id: [u8; 16], secret: [u8; 32]) -> String {
        let (id, secret) = (SecretId::from_bytes(id), KeySecret::new(secret));
        let minted = self.format.mint(environment, id, &secret).unwrap();
        minted.text.expose().to_owned()
    }

    /// The tag that belongs behind `signed`.
    fn tag(&self, which: usize, signed: &str) -> String {
        let mac = self.macs[which].clone().chain_update(signed).finalize();
        let mac = mac.into_bytes();
        let mut tag = [0; TAG_WIDTH];
        base62::encode::<8>(&std::array::from_fn(|i| mac[i]), &mut tag);
        tag.iter().copied().map(char::from).collect()
    }

    /// Whether a text is accepted; what is accepted was made here, and says nothing in another way than it would be said.
    fn accepts(&self, text: &str) -> bool {
        let Ok(key) = self.format.parse(text) else {
            return false;
        };
        let environment = self.format.environment_of(&key);
        let again = self.mint(environment, *key.id.as_bytes(), *key.secret.expose());
        let (signed, tag) = text.split_at(text.len() - TAG_WIDTH);
        assert_eq!(signed, &again[..again.len() - TAG_WIDTH], "not canonical");
        let known = [0, 1].map(|which| self.tag(which, signed));
        assert!(known.iter().any(|known| known == tag), "not made here");
        true
    }
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let (keys, mut draw) = (&*KEYS, Draw::new(data));
    match draw.below(3) {
        0 => {
            keys.accepts(&draw.text());
        }
        1 => {
            let environment = draw.pick(keys.format.environments()).clone();
            let minted = keys.mint(&environment, draw.bytes(), draw.bytes());
            assert!(keys.accepts(&minted));
            let edited = draw.edit(&minted);
            assert_eq!(keys.accepts(&edited), edited == minted, "{edited}");
        }
        _ => signed_by_hand(keys, &mut draw),
    }
}

/// A text with the right tag, whatever stands before it: what comes behind the tag is reached.
fn signed_by_hand(keys: &Keys, draw: &mut Draw<'_>) {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let which = draw.below(2);
    let head = *draw.pick(&["acme_co_live_", "acme_co_test_", "acme_co__", "acme_live_"]);
    let mut digits = [0; SIGNED_WIDTH];
    for digit in &mut digits {
        *digit = *draw.pick(DIGITS);
    }
    let body = draw.edit(&String::from_utf8_lossy(&digits));
    let signed = format!("{head}{body}");
    let accepted = keys.accepts(&format!("{signed}{}", keys.tag(which, &signed)));
    // Read by other code: a value that needs more bytes than there are is none.
    let fits = |text: &str, bytes: usize| {
        let mut number = vec![0_u8; bytes];
        text.bytes().all(|digit| {
            let Some(value) = DIGITS.iter().position(|known| *known == digit) else {
                return false;
            };
            let mut carry = value;
            for byte in number.iter_mut().rev() {
                carry += usize::from(*byte) * 62;
                *byte = u8::try_from(carry % 256).unwrap();
                carry /= 256;
            }
            carry == 0
        })
    };
    let known = head.starts_with("acme_co_") && head.len() == 13;
    let good = known
        && body.is_ascii()
        && body.len() == SIGNED_WIDTH
        && fits(&body[..22], 16)
        && fits(&body[22..], 32);
    assert_eq!(accepted, good, "{signed}");
}
