//! Files that are keys, and files that are not.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::super::{InvalidTokenKey, SigningKey, VerifyingKey};
use crate::entropy::{Entropy, EntropyError, OsEntropy};
use crate::token::{HmacSecret, InvalidSecret, TokenAlgorithm};

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/keys/", $name))
    };
}

/// Each key as JWK, as private and as public PEM, with what it is for and its thumbprint.
const GOOD: [(TokenAlgorithm, &str, &str, &str); 3] = [
    (
        TokenAlgorithm::EdDsa,
        key!("eddsa.jwk.json"),
        key!("eddsa.pem"),
        key!("eddsa.pub.pem"),
    ),
    (
        TokenAlgorithm::Es256,
        key!("es256.jwk.json"),
        key!("es256.pem"),
        key!("es256.pub.pem"),
    ),
    (
        TokenAlgorithm::Rs256,
        key!("rs256.jwk.json"),
        key!("rs256.pem"),
        key!("rs256.pub.pem"),
    ),
];
const SECRET: &str = "kT3vQ9xZr7Lw2NfYb8HcJ5mGd4SpAe6U";

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// The JWK with this member in place of what it has of that name; null takes it out.
fn with(jwk: &str, name: &str, value: serde_json::Value) -> String {
    let mut json: serde_json::Value = serde_json::from_str(jwk).unwrap();
    if value.is_null() {
        json.as_object_mut().unwrap().remove(name);
    } else {
        json[name] = value;
    }
    json.to_string()
}

fn public_jwk(jwk: &str) -> String {
    ["d", "p", "q", "dp", "dq", "qi"]
        .iter()
        .fold(jwk.to_owned(), |jwk, name| with(&jwk, name, ().into()))
}

fn refused_to_sign(text: &str) -> InvalidTokenKey {
    SigningKey::from_pkcs8_pem(text).unwrap_err()
}

fn refused_to_verify(text: &str) -> InvalidTokenKey {
    VerifyingKey::from_spki_pem(text).unwrap_err()
}

#[test]
fn one_key_is_the_same_in_every_form() {
    for (algorithm, jwk, pem, public_pem) in GOOD {
        let signing = [
            SigningKey::from_jwk(jwk),
            SigningKey::from_pkcs8_pem(pem),
            SigningKey::from_pkcs8_pem(&format!("A comment\n{}\n\n", pem.replace('\n', "\r\n"))),
            SigningKey::from_pkcs8_der(&der(pem)),
        ]
        .map(Result::unwrap);
        let verifying = [
            VerifyingKey::from_jwk(&public_jwk(jwk)),
            VerifyingKey::from_spki_pem(public_pem),
            VerifyingKey::from_spki_der(&der(public_pem)),
        ]
        .map(Result::unwrap);
        for private in &signing {
            assert_eq!(private.algorithm(), algorithm);
            assert_eq!(private.kid(), verifying[0].kid());
            assert_eq!(private.kid().len(), 43);
            assert_eq!(private.public_jwk(), verifying[0].public_jwk());
            let signature = private.sign(b"message").unwrap();
            for public in &verifying {
                assert_eq!(
                    (public.algorithm(), public.kid()),
                    (algorithm, private.kid())
                );
                assert!(public.verifies(b"message", &signature).unwrap());
                assert!(!public.verifies(b"massage", &signature).unwrap());
            }
        }
    }
}

#[test]
fn a_key_is_kept_as_a_file_and_loaded_again() {
    let fresh = SigningKey::generate_ed25519(&OsEntropy).unwrap();
    let loaded = GOOD.map(|(_, jwk, _, _)| SigningKey::from_jwk(jwk).unwrap());
    for key in loaded.into_iter().chain([fresh]) {
        let pem = key.to_pkcs8_pem().unwrap();
        let again = SigningKey::from_pkcs8_pem(pem.expose()).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk());
        let signature = again.sign(b"message").unwrap();
        assert!(key.public_half().verifies(b"message", &signature).unwrap());
        assert!(!format!("{pem:?}").contains("BEGIN"));
    }
    let secret = SigningKey::from(SECRET.parse::<HmacSecret>().unwrap());
    assert!(secret.to_pkcs8_pem().is_none() && secret.public_jwk().is_none());
}

#[derive(Debug)]
struct Fixed(Option<u8>);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0.ok_or_else(|| EntropyError::new("dry"))?);
        Ok(())
    }
}

#[test]
fn a_new_key_is_made_of_what_is_drawn_and_nothing_else() {
    let made = |byte| {
        SigningKey::generate_ed25519(&Fixed(Some(byte)))
            .unwrap()
            .kid()
            .to_owned()
    };
    assert_eq!(made(7), made(7));
    assert_ne!(made(7), made(8));
    assert!(SigningKey::generate_ed25519(&Fixed(None)).is_err());
}

#[test]
fn a_file_that_is_no_key_to_sign_with_is_refused_with_the_reason() {
    let [(_, _, eddsa, public), (_, _, es256, _), (_, _, rs256, _)] = GOOD;
    for (text, reason) in [
        ("", InvalidTokenKey::NotAKey),
        ("not a key", InvalidTokenKey::NotAKey),
        (
            "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n",
            InvalidTokenKey::NotAKey,
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            InvalidTokenKey::NotAKey,
        ),
        (&eddsa[..eddsa.len() / 2], InvalidTokenKey::NotAKey),
        (&format!("{eddsa}{eddsa}"), InvalidTokenKey::Several),
        (&format!("{eddsa}{public}"), InvalidTokenKey::Several),
        (&"x".repeat(20_000), InvalidTokenKey::TooLong),
        (public, InvalidTokenKey::PublicOnly),
        (key!("eddsa.certificate.pem"), InvalidTokenKey::PublicOnly),
        (key!("eddsa.encrypted.pem"), InvalidTokenKey::Encrypted),
        (key!("eddsa.openssh.pem"), InvalidTokenKey::OtherForm),
        (key!("rs256.pkcs1.pem"), InvalidTokenKey::OtherForm),
        (key!("es256.sec1.pem"), InvalidTokenKey::OtherForm),
        (key!("p384.pem"), InvalidTokenKey::Algorithm),
        (key!("ed448.pem"), InvalidTokenKey::Algorithm),
        (key!("rsa-pss.pem"), InvalidTokenKey::Algorithm),
        (key!("rsa2040.pem"), InvalidTokenKey::RsaBits(2_040)),
    ] {
        assert_eq!(refused_to_sign(text), reason, "{text}");
    }
    for (pem, at) in [(eddsa, 20), (es256, 40), (rs256, 300)] {
        let mut bytes = der(pem);
        bytes.truncate(bytes.len() - 1);
        assert!(SigningKey::from_pkcs8_der(&bytes).is_err());
        bytes.extend([0, 0]);
        assert!(SigningKey::from_pkcs8_der(&bytes).is_err());
        // A bit of Ed25519's seed makes another key; of the others, one that is none.
        let mut bytes = der(pem);
        bytes[at] ^= 1;
        let flipped = SigningKey::from_pkcs8_der(&bytes).map(|key| key.algorithm());
        assert!(
            matches!(
                flipped,
                Ok(TokenAlgorithm::EdDsa) | Err(InvalidTokenKey::Damaged)
            ),
            "{flipped:?}"
        );
    }
}

#[test]
fn a_file_that_is_no_key_to_verify_with_is_refused_with_the_reason() {
    let (_, _, private, public) = GOOD[0];
    for (text, reason) in [
        ("", InvalidTokenKey::NotAKey),
        (private, InvalidTokenKey::PrivateGiven),
        (key!("rs256.pkcs1.pem"), InvalidTokenKey::PrivateGiven),
        (key!("eddsa.certificate.pem"), InvalidTokenKey::OtherForm),
        (&format!("{public}{public}"), InvalidTokenKey::Several),
        (key!("p384.pub.pem"), InvalidTokenKey::Algorithm),
        (key!("ed448.pub.pem"), InvalidTokenKey::Algorithm),
        (key!("rsa2040.pub.pem"), InvalidTokenKey::RsaBits(2_040)),
    ] {
        assert_eq!(refused_to_verify(text), reason, "{text}");
    }
    let private = VerifyingKey::from_spki_der(&der(private)).unwrap_err();
    assert_eq!(private, InvalidTokenKey::PrivateGiven);
    let public = SigningKey::from_pkcs8_der(&der(public)).unwrap_err();
    assert_eq!(public, InvalidTokenKey::PublicOnly);
    // A point that is not on the curve.
    let mut point = der(GOOD[1].3);
    *point.last_mut().unwrap() ^= 1;
    let off_the_curve = VerifyingKey::from_spki_der(&point).unwrap_err();
    assert_eq!(off_the_curve, InvalidTokenKey::Damaged);
}

#[test]
fn a_jwk_says_what_it_is_for_or_nothing() {
    for (algorithm, jwk, _, _) in GOOD {
        let sign =
            |name: &str, value: serde_json::Value| SigningKey::from_jwk(&with(jwk, name, value));
        for (name, value, fits) in [
            ("alg", serde_json::Value::from(algorithm.name()), true),
            ("alg", "HS256".into(), false),
            ("alg", "none".into(), false),
            ("alg", "PS256".into(), false),
            ("use", "sig".into(), true),
            ("use", "enc".into(), false),
            ("key_ops", vec!["sign", "verify"].into(), true),
            ("key_ops", vec!["verify"].into(), false),
            ("x5t", "anything".into(), true),
        ] {
            let answer = sign(name, value.clone());
            assert_eq!(
                answer.is_ok(),
                fits,
                "{algorithm} {name} {value}: {answer:?}"
            );
            if !fits {
                let name = ["`alg`", "`use`", "`key_ops`"]
                    .into_iter()
                    .find(|known| known.contains(name));
                assert_eq!(answer.unwrap_err(), InvalidTokenKey::Jwk(name.unwrap()));
            }
        }
        assert_eq!(sign("kid", "my-key_1".into()).unwrap().kid(), "my-key_1");
        for kid in ["", "a b", "a.b", "é", "../x", &"a".repeat(65)] {
            assert_eq!(
                sign("kid", kid.into()).unwrap_err(),
                InvalidTokenKey::Kid,
                "{kid}"
            );
        }
        // A public key signs nothing, and a private one is not needed to verify.
        let public = public_jwk(jwk);
        assert_eq!(
            SigningKey::from_jwk(&public).unwrap_err(),
            InvalidTokenKey::PublicOnly
        );
        assert_eq!(
            VerifyingKey::from_jwk(jwk).unwrap_err(),
            InvalidTokenKey::PrivateGiven
        );
    }
}

#[test]
fn a_jwk_that_is_none_is_refused_with_the_member() {
    let [(_, eddsa, _, _), (_, es256, _, _), (_, rs256, _, _)] = GOOD;
    let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
    let short = URL_SAFE_NO_PAD.encode([7; 31]);
    for (jwk, name, value, reason) in [
        (eddsa, "kty", "EC", InvalidTokenKey::Algorithm),
        (eddsa, "crv", "X25519", InvalidTokenKey::Algorithm),
        (eddsa, "x", &zeros, InvalidTokenKey::Damaged),
        (eddsa, "x", &short, InvalidTokenKey::Jwk("`x`")),
        (eddsa, "d", &short, InvalidTokenKey::Jwk("`d`")),
        (eddsa, "d", "AA==", InvalidTokenKey::Jwk("JSON or a member")),
        (es256, "crv", "P-384", InvalidTokenKey::Algorithm),
        (es256, "y", &zeros, InvalidTokenKey::Damaged),
        (es256, "d", &zeros, InvalidTokenKey::Damaged),
        (rs256, "e", "AAEAAQ", InvalidTokenKey::Jwk("`e`")),
        (rs256, "e", "AQAC", InvalidTokenKey::Damaged),
        (rs256, "d", "AQAB", InvalidTokenKey::Damaged),
        (rs256, "n", "", InvalidTokenKey::Jwk("`n`")),
        (rs256, "n", "AQAB", InvalidTokenKey::RsaBits(17)),
        (rs256, "oth", "x", InvalidTokenKey::Jwk("`oth`")),
    ] {
        let refused = SigningKey::from_jwk(&with(jwk, name, value.into())).unwrap_err();
        assert_eq!(refused, reason, "{name} {value}");
    }
    for name in ["p", "q", "dp", "dq", "qi"] {
        let refused = SigningKey::from_jwk(&with(rs256, name, ().into())).unwrap_err();
        assert!(matches!(refused, InvalidTokenKey::Jwk(_)), "{name}");
    }
    for (text, reason) in [
        ("", InvalidTokenKey::NotAKey),
        ("[]", InvalidTokenKey::NotAKey),
        ("{}", InvalidTokenKey::Jwk("JSON or a member")),
        (r#"{"keys":[]}"#, InvalidTokenKey::Jwk("JSON or a member")),
        (
            r#"{"kty":"RSA","kty":"oct"}"#,
            InvalidTokenKey::Jwk("JSON or a member"),
        ),
        (GOOD[0].2, InvalidTokenKey::NotAKey),
        (
            &format!("{{{}", " ".repeat(20_000)),
            InvalidTokenKey::TooLong,
        ),
    ] {
        assert_eq!(SigningKey::from_jwk(text).unwrap_err(), reason, "{text}");
        assert_eq!(VerifyingKey::from_jwk(text).unwrap_err(), reason, "{text}");
    }
}

/// A secret that everybody can read is none, whatever it is wrapped in (CVE-2016-10555 and its kin).
#[test]
fn a_public_key_is_no_secret() {
    let oct = |k: &[u8]| format!(r#"{{"kty":"oct","k":"{}"}}"#, URL_SAFE_NO_PAD.encode(k));
    let key = SigningKey::from_jwk(&oct(SECRET.as_bytes())).unwrap();
    assert_eq!(key.algorithm(), TokenAlgorithm::Hs256);
    for (_, jwk, private, public) in GOOD {
        let public_jwk = public_jwk(jwk);
        let set = format!(r#"{{"keys":[{public_jwk}]}}"#);
        let (private_der, public_der) = (der(private), der(public));
        for text in [private, public, jwk, &public_jwk, &set] {
            assert_eq!(
                text.parse::<HmacSecret>().unwrap_err(),
                InvalidSecret::KeyFile,
                "{text}"
            );
            assert!(
                STANDARD.encode(text).parse::<HmacSecret>().is_err(),
                "{text}"
            );
        }
        for bytes in [
            private.as_bytes(),
            public.as_bytes(),
            &private_der,
            &public_der,
        ] {
            assert_eq!(
                HmacSecret::from_bytes(bytes).unwrap_err(),
                InvalidSecret::KeyFile
            );
            let refused = InvalidTokenKey::Secret(InvalidSecret::KeyFile);
            assert_eq!(SigningKey::from_jwk(&oct(bytes)).unwrap_err(), refused);
            assert_eq!(VerifyingKey::from_jwk(&oct(bytes)).unwrap_err(), refused);
        }
    }
}

#[test]
fn what_is_printed_and_what_is_said_holds_no_part_of_a_key() {
    for (_, jwk, pem, _) in GOOD {
        let json: serde_json::Value = serde_json::from_str(jwk).unwrap();
        let d = json["d"].as_str().unwrap();
        let key = SigningKey::from_jwk(jwk).unwrap();
        let damaged = SigningKey::from_jwk(&with(jwk, "d", format!("{d}!").into())).unwrap_err();
        let said = format!(
            "{key:?} {:?} {damaged} {damaged:?}",
            SigningKey::from_pkcs8_pem(pem)
        );
        assert!(said.contains(key.kid()));
        assert!(!said.contains(&d[..6]), "{said}");
        assert!(!said.contains(&pem.lines().nth(1).unwrap()[..20]), "{said}");
    }
}

proptest! {
    #[test]
    fn arbitrary_texts_never_panic(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&bytes));
        prop_assert!(SigningKey::from_pkcs8_pem(&text).is_err());
        prop_assert!(SigningKey::from_pkcs8_pem(&pem).is_err());
        prop_assert!(SigningKey::from_jwk(&text).is_err());
        prop_assert!(SigningKey::from_pkcs8_der(&bytes).is_err());
        prop_assert!(VerifyingKey::from_spki_der(&bytes).is_err());
    }

    /// Every key with some bytes of its file changed is refused or another key; it never panics.
    #[test]
    fn damaged_files_never_panic(which in 0_usize..3, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_, _, private, public) = GOOD[which];
        for (file, sign) in [(private, true), (public, false)] {
            let mut bytes = der(file);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if sign {
                let _ = SigningKey::from_pkcs8_der(&bytes);
            } else {
                let _ = VerifyingKey::from_spki_der(&bytes);
            }
        }
    }
}
