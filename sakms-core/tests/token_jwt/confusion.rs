//! Each algorithm with the keys of every other, and tokens with a part changed: not one of more than 100,000 is good.

use std::collections::BTreeSet;

use sakms_core::entropy::OsEntropy;
use sakms_core::token::{JwtIssuer, Keyring, SigningKey, TokenAlgorithm, TokenDenial};

use crate::forge::{Object, PEMS, Signer, builder, der, encode, forge, issue, verify};

/// What another library might take for an algorithm of ours, or has.
const ALGORITHMS: [&str; 18] = [
    "EdDSA", "ES256", "RS256", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "PS384",
    "PS512", "ES384", "ES512", "ES256K", "Ed25519", "Ed448", "none", "dir",
];

/// An issuer that knows a key of each algorithm, this one in front.
fn issuer_of_all(front: &Signer) -> JwtIssuer {
    let others = Signer::all();
    let others = others.iter().filter(|other| other.kid != front.kid);
    let ring = others.fold(Keyring::new(front.key()), |ring, other| {
        ring.also_verify(other.key()).unwrap()
    });
    builder(ring).build().unwrap()
}

/// What is public of a key, in every form in which somebody might have taken it for a secret.
fn public_forms() -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for (_, private, public) in PEMS {
        let key = SigningKey::from_pkcs8_pem(private).unwrap();
        let jwk = serde_json::to_string(&key.public_jwk().unwrap()).unwrap();
        let set = format!(r#"{{"keys":[{jwk}]}}"#);
        let json: serde_json::Value = serde_json::from_str(&jwk).unwrap();
        for text in [
            public,
            public.trim_end(),
            &public.replace('\n', "\r\n"),
            &jwk,
            &set,
            key.kid(),
        ] {
            forms.push(text.as_bytes().to_vec());
            forms.push(encode(text).into_bytes());
        }
        for member in ["x", "y", "n"] {
            if let Some(text) = json[member].as_str() {
                forms.push(text.as_bytes().to_vec());
            }
        }
        let spki = der(public);
        // The last bytes are the key itself: of 32, of 64 and of 65 bytes, or the structure of RSA.
        for tail in [32, 64, 65, 270, spki.len()] {
            forms.push(spki[spki.len().saturating_sub(tail)..].to_vec());
        }
    }
    forms.push(Vec::new());
    forms
}

#[tokio::test]
async fn no_algorithm_takes_the_key_of_another() {
    let signers = Signer::all();
    let claims = Object::claims().json();
    let forms = public_forms();
    let mut tried = 0;
    for key in &signers {
        for issuer in [key.issuer(), issuer_of_all(key), issuer_of_all(&signers[3])] {
            for alg in ALGORITHMS {
                let header = key.header().with("alg", format!("\"{alg}\"")).json();
                let signed = format!("{}.{}", encode(&header), encode(&claims));
                let mut tokens: Vec<_> = signers
                    .iter()
                    .filter(|signer| signer.kid != key.kid || alg != key.algorithm.name())
                    .map(|signer| signer.forge(&header, &claims))
                    .collect();
                tokens.extend(forms.iter().map(|form| forge(&header, &claims, form)));
                for length in [1, 32, 64, 96, 132, 256] {
                    for byte in [0, 1, 0xff] {
                        tokens.push(format!("{signed}.{}", encode(vec![byte; length])));
                    }
                }
                let expected = if alg == key.algorithm.name() {
                    TokenDenial::Signature
                } else {
                    TokenDenial::WrongAlgorithm
                };
                for token in tokens {
                    let answer = verify(&issuer, token).await.map(drop);
                    assert_eq!(
                        answer,
                        Err(expected),
                        "{alg} for {key}",
                        key = key.algorithm
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 15_000, "{tried}");
}

/// CVE-2018-0114 and its kin: whoever forges a token brings the key to it along.
#[tokio::test]
async fn a_key_that_a_token_brings_along_is_not_looked_at() {
    let (signers, claims) = (Signer::all(), Object::claims().json());
    for key in &signers {
        let issuers = [key.issuer(), issuer_of_all(key)];
        let stranger = SigningKey::generate_ed25519(&OsEntropy).unwrap();
        let jwk = serde_json::to_string(&stranger.public_jwk().unwrap()).unwrap();
        let brought = [
            ("jwk", jwk.clone()),
            ("jwk", format!("\"{}\"", encode(&jwk))),
            ("jwks", format!("{{\"keys\":[{jwk}]}}")),
            ("jku", "\"https://evil.example/jwks.json\"".to_owned()),
            ("jku", "\"http://127.0.0.1:1/\"".to_owned()),
            ("x5u", "\"file:///etc/passwd\"".to_owned()),
            ("x5c", "[\"MIIB\"]".to_owned()),
            ("x5t", "\"AAAA\"".to_owned()),
            ("key", jwk.clone()),
        ];
        for (name, value) in brought {
            for kid in [key.kid.as_str(), stranger.kid(), ""] {
                for alg in ["EdDSA", key.algorithm.name()] {
                    let header = Object::header()
                        .with("alg", format!("\"{alg}\""))
                        .with("kid", format!("\"{kid}\""))
                        .with(name, &*value)
                        .json();
                    for signer in &signers {
                        let token = signer.forge(&header, &claims);
                        for issuer in &issuers {
                            let answer = verify(issuer, token.clone()).await.map(drop);
                            assert_eq!(answer, Err(TokenDenial::Malformed), "{name} {kid} {alg}");
                        }
                    }
                }
            }
        }
    }
}

/// "none" in every capitalisation, for a key of every algorithm.
#[tokio::test]
async fn no_key_takes_a_token_without_a_signature() {
    let claims = Object::claims().json();
    for key in Signer::all() {
        let issuer = issuer_of_all(&key);
        for upper in 0..16_u8 {
            let letters = "none".bytes().enumerate();
            let alg: String = letters
                .map(|(i, byte)| match upper >> i & 1 {
                    1 => char::from(byte.to_ascii_uppercase()),
                    _ => char::from(byte),
                })
                .collect();
            let header = key.header().with("alg", format!("\"{alg}\"")).json();
            let signed = format!("{}.{}", encode(&header), encode(&claims));
            for token in [
                signed.clone(),
                format!("{signed}."),
                format!("{signed}.AA"),
                format!("{signed}..AA"),
                key.forge(&header, &claims),
            ] {
                assert!(verify(&issuer, token).await.is_err(), "{alg}");
            }
        }
    }
}

/// Every prefix and suffix of a token, everything around it, and every character replaced by every other one.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_token_itself_is_good() {
    let tasks = Signer::all().map(|key| tokio::spawn(try_everything_like_a_token(key.issuer())));
    let mut tried = 0;
    for task in tasks {
        tried += task.await.unwrap();
    }
    assert!(tried > 100_000, "{tried}");
}

async fn try_everything_like_a_token(issuer: JwtIssuer) -> usize {
    let token = issue(&issuer).await;
    assert!(verify(&issuer, token.clone()).await.is_ok());
    let bad = like(&token);
    for text in &bad {
        assert!(verify(&issuer, text.as_str()).await.is_err(), "{text}");
    }
    bad.len()
}

fn like(token: &str) -> BTreeSet<String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
    let mut bad = BTreeSet::new();
    bad.extend((0..token.len()).map(|end| token[..end].to_owned()));
    bad.extend((1..token.len()).map(|start| token[start..].to_owned()));
    for extra in 0..=0x7f_u8 {
        let extra = char::from(extra);
        bad.extend([format!("{token}{extra}"), format!("{extra}{token}")]);
    }
    for at in 0..token.len() {
        let changed = |byte: u8| {
            let mut bytes = token.as_bytes().to_vec();
            bytes[at] = byte;
            String::from_utf8(bytes).unwrap()
        };
        let bits = (0..7).map(|bit| token.as_bytes()[at] ^ 1 << bit);
        bad.extend(bits.chain(LETTERS.iter().copied()).map(changed));
        // One character less, one more, and two in each other's place.
        let (head, tail) = token.split_at(at);
        bad.extend([format!("{head}{}", &tail[1..]), format!("{head}A{tail}")]);
        if let Some((next, rest)) = tail.split_at_checked(2) {
            let swapped: String = next.chars().rev().collect();
            bad.insert(format!("{head}{swapped}{rest}"));
        }
    }
    bad.remove(token);
    bad
}

/// A signature of ECDSA has a twin (RFC 7518 asks for no one form): the same claims, never others. So a token is known
/// by its `jti`, not by its text.
#[tokio::test]
async fn the_twin_of_a_signature_says_nothing_new() {
    // The order of P-256.
    const ORDER: [u8; 32] = *b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
    let key = Signer::all()
        .into_iter()
        .find(|key| key.algorithm == TokenAlgorithm::Es256)
        .unwrap();
    let issuer = key.issuer();
    let signed = format!(
        "{}.{}",
        encode(key.header().json()),
        encode(Object::claims().json())
    );
    let signature = key.sign(signed.as_bytes());
    let (r, s) = signature.split_at(32);
    let mut borrow = 0;
    let mut twin = [0; 32];
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(s[at]) - borrow;
        borrow = i16::from(difference < 0);
        twin[at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    let token = |s: &[u8]| format!("{signed}.{}", encode([r, s].concat()));
    let first = verify(&issuer, token(s)).await.unwrap();
    assert_eq!(verify(&issuer, token(&twin)).await.unwrap(), first);
    for (r, s) in [(&[0; 32], s), (&ORDER, s)] {
        let token = format!("{signed}.{}", encode([r.as_slice(), s].concat()));
        assert_eq!(verify(&issuer, token).await, Err(TokenDenial::Signature));
    }
    assert_eq!(
        verify(&issuer, token(&[0; 32])).await,
        Err(TokenDenial::Signature)
    );
    assert_eq!(
        verify(&issuer, token(&ORDER)).await,
        Err(TokenDenial::Signature)
    );
}
