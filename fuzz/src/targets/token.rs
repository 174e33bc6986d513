//! Tokens: no text is accepted but one that was signed with the key, and of those each that its claims are good for.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sakms_core::secret::BearerToken;
use sakms_core::testkit::entropy::SeededEntropy;
use sakms_core::token::{
    HmacSecret, JwtIssuer, Keyring, SigningKey, TokenIssuer as _, TokenRequest,
};
use sakms_core::verdict::Verdict;
use serde_json::{Value, json};
use sha2::Sha256;

mod claims;

use crate::draw::Draw;
use crate::world::{self, NOW};

const SECRET: [u8; 32] = world::MASTER[0];
const ISSUER: &str = "sakms";
const AUDIENCE: &str = "fuzz";
const LEEWAY: u64 = 5;

struct Issuers {
    /// By a secret, and by a key pair.
    all: [JwtIssuer; 2],
    /// A token of each.
    issued: [String; 2],
    kid: String,
    mac: Hmac<Sha256>,
}

static ISSUERS: LazyLock<Issuers> = LazyLock::new(|| {
    let entropy = || SeededEntropy::new("fuzz");
    let secret = HmacSecret::from_bytes(&SECRET).unwrap();
    let kid = secret.kid().to_owned();
    let pair = SigningKey::generate_ed25519(&entropy()).unwrap();
    let all = [Keyring::hs256(secret), Keyring::new(pair)].map(|keyring| {
        let settings = JwtIssuer::builder(keyring)
            .audience(AUDIENCE)
            .clock(world::clock())
            .entropy(std::sync::Arc::new(entropy()));
        settings.build().unwrap()
    });
    let issued = [&all[0], &all[1]].map(|issuer| {
        let request = TokenRequest::new("ada".parse().unwrap());
        let issued = world::wait(issuer.issue(&request)).unwrap();
        issued.token().expose().to_owned()
    });
    Issuers {
        issued,
        kid,
        mac: Hmac::new_from_slice(&SECRET).unwrap(),
        all,
    }
});

impl Issuers {
    fn accepts(&self, which: usize, text: &str) -> bool {
        let token = BearerToken::new(text.to_owned());
        match world::wait(self.all[which].verify(&token)) {
            Ok(Verdict::Granted(claims)) => {
                assert_eq!((claims.issuer(), claims.audience()), (ISSUER, AUDIENCE));
                true
            }
            Ok(Verdict::Denied(_)) => false,
            Err(error) => panic!("it was not decided: {error:?}"),
        }
    }

    fn signed(&self, header: &[u8], claims: &[u8]) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{claims}");
        let signature = self
            .mac
            .clone()
            .chain_update(&signed)
            .finalize()
            .into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn header(&self) -> Value {
        json!({"alg": "HS256", "typ": "at+jwt", "kid": self.kid})
    }
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let (issuers, mut draw) = (&*ISSUERS, Draw::new(data));
    match draw.below(5) {
        0 => {
            let text = draw.text();
            for which in [0, 1] {
                assert!(!issuers.accepts(which, &text) || text == issuers.issued[which]);
            }
        }
        1 => {
            let which = draw.below(2);
            let issued = &issuers.issued[which];
            let edited = draw.edit(issued);
            assert_eq!(
                issuers.accepts(which, &edited),
                edited == *issued,
                "{edited}"
            );
            // Nor is it good elsewhere.
            assert!(!issuers.accepts(1 - which, &edited));
        }
        2 => {
            // Anything, rightly signed.
            let header = draw.until(0).to_vec();
            judge(issuers, &header, draw.rest());
        }
        3 => {
            // A good header and any claims.
            judge(
                issuers,
                issuers.header().to_string().as_bytes(),
                draw.rest(),
            );
        }
        _ => {
            let mut header = claims::Members::of(&issuers.header());
            let mut good = claims::Members::of(&json!({
                "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": NOW, "nbf": NOW,
                "exp": NOW + 600, "jti": "0123",
            }));
            while !draw.is_empty() {
                let of = if draw.below(6) == 0 {
                    &mut header
                } else {
                    &mut good
                };
                of.change(&mut draw);
            }
            judge(issuers, header.text().as_bytes(), good.text().as_bytes());
        }
    }
}

/// Whether a rightly signed token is accepted is what its parts say.
fn judge(issuers: &Issuers, header: &[u8], claims: &[u8]) {
    let text = issuers.signed(header, claims);
    let expected = text.len() <= 8 * 1024
        && claims::header_is_good(header, &issuers.kid)
        && claims::are_good(claims);
    let said = || {
        let [header, claims] = [header, claims].map(String::from_utf8_lossy);
        format!("{header} {claims}")
    };
    assert_eq!(issuers.accepts(0, &text), expected, "{}", said());
}
