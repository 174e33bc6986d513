//! Every text that is one step away from a good one: a bit flipped, the end or the beginning cut off, a character more. A key or a
//! token that is accepted is the one that was made, to the last bit.

use std::task::{Context, Poll, Waker};

use sakms_core::entropy::Entropy as _;
use sakms_core::id::SecretId;
use sakms_core::key::{Environment, KeyFormat, MasterKey};
use sakms_core::secret::{BearerToken, KeySecret};
use sakms_core::testkit::entropy::SeededEntropy;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring, TokenIssuer as _, TokenRequest};

const KEYS: usize = 1_000;
const TOKENS: usize = 100;

/// Calls `of` with every text that is one step away; how many there were.
fn each_mutant(text: &str, mut of: impl FnMut(&str)) -> usize {
    let mut count = 0;
    let mut one = |bytes: &[u8]| {
        // What is not UTF-8 does not come as far as the parser.
        if let Ok(mutant) = std::str::from_utf8(bytes) {
            of(mutant);
            count += 1;
        }
    };
    let mut bytes = text.as_bytes().to_vec();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            bytes[place] ^= 1 << bit;
            one(&bytes);
            bytes[place] ^= 1 << bit;
        }
        one(&bytes[..place]);
        one(&bytes[place + 1..]);
    }
    for more in 0..128 {
        one(&[&bytes[..], &[more]].concat());
        one(&[&[more], &bytes[..]].concat());
    }
    count
}

#[test]
fn no_mutant_of_a_key_is_accepted() {
    let entropy = SeededEntropy::new("mutants of keys");
    let master = MasterKey::generate(&entropy).unwrap().into();
    let format = KeyFormat::new("acme".parse().unwrap(), vec![Environment::live()], &master);
    let format = format.unwrap();
    let mut mutants = 0;
    for _ in 0..KEYS {
        let (mut id, mut secret) = ([0; 16], [0; 32]);
        entropy.fill(&mut id).unwrap();
        entropy.fill(&mut secret).unwrap();
        let (id, secret) = (SecretId::from_bytes(id), KeySecret::new(secret));
        let minted = format.mint(&Environment::live(), id, &secret).unwrap();
        let text = minted.text.expose();
        assert!(format.parse(text).is_ok());
        mutants += each_mutant(text, |mutant| {
            assert!(format.parse(mutant).is_err(), "{mutant} of {text}");
        });
    }
    assert!(mutants > 800 * KEYS, "{mutants}");
}

#[test]
fn no_mutant_of_a_token_is_accepted() {
    let secret = HmacSecret::generate(&SeededEntropy::new("mutants of tokens")).unwrap();
    let issuer = JwtIssuer::builder(Keyring::hs256(secret)).audience("acme");
    let issuer = issuer.build().unwrap();
    let accepts = |text: &str| {
        let token = BearerToken::new(text.to_owned());
        let verdict =
            std::pin::pin!(issuer.verify(&token)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(verdict) = verdict else {
            return None;
        };
        Some(verdict.unwrap().into_result().is_ok())
    };
    let mut mutants = 0;
    for number in 0..TOKENS {
        let request = TokenRequest::new(format!("user {number}").parse().unwrap());
        let token =
            std::pin::pin!(issuer.issue(&request)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(token) = token else {
            unreachable!("an issuer with keys of its own waits for nobody");
        };
        let token = token.unwrap();
        let text = token.token().expose();
        assert_eq!(accepts(text), Some(true));
        mutants += each_mutant(text, |mutant| {
            assert_eq!(accepts(mutant), Some(false), "{mutant} of {text}");
        });
    }
    assert!(mutants > 2_500 * TOKENS, "{mutants}");
}
