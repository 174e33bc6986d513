//! Forgeries known from the advisories of other libraries, and texts that are no tokens at all.

use proptest::prelude::*;
use sakms_core::token::TokenDenial;

use crate::forge::{Object, SECRET, encode, forge, issue, issuer, secret, verify};

/// "none" in every capitalisation, and what else has been taken for it (CVE-2015-2951, RFC 8725 section 2.1).
#[tokio::test]
async fn a_token_without_a_signature_is_denied_however_it_says_so() {
    let issuer = issuer();
    let spellings = (0..16_u8).map(|upper| {
        let letters = "none"
            .bytes()
            .enumerate()
            .map(|(i, byte)| match upper >> i & 1 {
                1 => char::from(byte.to_ascii_uppercase()),
                _ => char::from(byte),
            });
        letters.collect::<String>()
    });
    let odd = [
        "",
        " ",
        "null",
        "hs256",
        "Hs256",
        "HS256 ",
        " HS256",
        "HS256\\u0000",
        "HMAC",
        "NULL",
    ];
    for alg in spellings.chain(odd.map(str::to_owned)) {
        let header = Object::header().with("alg", format!("\"{alg}\"")).json();
        let signed = format!("{}.{}", encode(&header), encode(Object::claims().json()));
        let rightly = forge(&header, &Object::claims().json(), SECRET.as_bytes());
        for token in [
            signed.clone(),
            format!("{signed}."),
            format!("{signed}.AA"),
            rightly,
        ] {
            assert!(verify(&issuer, token).await.is_err(), "{alg}");
        }
    }
}

/// The algorithm is the key's, not the token's (CVE-2016-10555 and its many kin).
#[tokio::test]
async fn a_token_does_not_choose_its_algorithm() {
    let issuer = issuer();
    for alg in [
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "ES256",
        "ES384",
        "EdDSA",
        "dir",
        "A128KW",
        "PBES2-HS256+A128KW",
    ] {
        let header = Object::header().with("alg", format!("\"{alg}\"")).json();
        let token = forge(&header, &Object::claims().json(), SECRET.as_bytes());
        assert_eq!(
            verify(&issuer, token).await,
            Err(TokenDenial::WrongAlgorithm),
            "{alg}"
        );
    }
}

#[tokio::test]
async fn a_token_of_another_kind_is_denied() {
    let issuer = issuer();
    for typ in [
        "JWT",
        "jwt",
        "AT+JWT",
        "at+JWT",
        "application/at+jwt",
        "at+jwt ",
        "at+jwt\\u0000",
        "secevent+jwt",
        "JOSE",
    ] {
        let header = Object::header().with("typ", format!("\"{typ}\"")).json();
        let token = forge(&header, &Object::claims().json(), SECRET.as_bytes());
        assert_eq!(
            verify(&issuer, token).await,
            Err(TokenDenial::WrongType),
            "{typ}"
        );
    }
}

/// A key's name is looked up and used for nothing else: no file, no query, no address.
#[tokio::test]
async fn an_unknown_key_is_denied_whatever_its_name() {
    let issuer = issuer();
    let kid = secret(SECRET).kid().to_owned();
    for name in [
        "",
        "../../../../dev/null",
        "/dev/null",
        "' OR '1'='1",
        "1; DROP TABLE keys",
        "http://evil.example/k",
        &kid[1..],
        &format!("{kid} "),
        &format!("{kid}\\u0000"),
        &kid.to_lowercase(),
        &"a".repeat(5_000),
    ] {
        let header = Object::header().with("kid", format!("\"{name}\"")).json();
        let token = forge(&header, &Object::claims().json(), SECRET.as_bytes());
        assert_eq!(
            verify(&issuer, token).await,
            Err(TokenDenial::UnknownKey),
            "{name}"
        );
    }
}

/// Any part of a token, anything around it, and every bit of it turned round.
#[tokio::test]
async fn nothing_but_the_token_itself_is_accepted() {
    let issuer = issuer();
    let token = issue(&issuer).await;
    assert!(verify(&issuer, token.clone()).await.is_ok());
    let parts: Vec<_> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);

    let mut bad: Vec<String> = (0..token.len())
        .map(|end| token[..end].to_owned())
        .collect();
    bad.extend((1..token.len()).map(|start| token[start..].to_owned()));
    let around = (0..=127_u8)
        .map(char::from)
        .chain(['é', '\u{2024}', '\u{feff}']);
    for extra in around {
        bad.push(format!("{token}{extra}"));
        bad.push(format!("{extra}{token}"));
    }
    for extra in ["==", "AAAA", ".AAAA", "..", ".e30.AA"] {
        bad.push(format!("{token}{extra}"));
    }
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            bad.push(String::from_utf8(bytes).unwrap());
        }
    }
    bad.push(format!("{claims}.{header}.{signature}"));
    bad.push(format!("{header}.{claims}.{claims}"));
    bad.push(format!("{header}..{signature}"));
    bad.push(format!(".{claims}.{signature}"));
    bad.push(format!("{header}.{claims}.{header}.{claims}.{signature}"));
    bad.push(token.replace('.', ". "));
    bad.push(format!("Bearer {token}"));
    bad.push(format!(
        "{{\"payload\":\"{claims}\",\"protected\":\"{header}\",\"signature\":\"{signature}\"}}"
    ));
    assert!(bad.len() > 2_500);
    for text in bad {
        assert!(verify(&issuer, text.clone()).await.is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_parts_of_two_tokens_do_not_mix() {
    let issuer = issuer();
    let (first, second) = (issue(&issuer).await, issue(&issuer).await);
    let (first, second): (Vec<_>, Vec<_>) =
        (first.split('.').collect(), second.split('.').collect());
    let mixed = format!("{}.{}.{}", first[0], first[1], second[2]);
    assert_eq!(verify(&issuer, mixed).await, Err(TokenDenial::Signature));
}

/// CVE-2025-30204 and others: a text of a megabyte is refused by its length, before anything is allocated for it.
#[tokio::test]
async fn a_long_text_is_refused_by_its_length() {
    let issuer = issuer();
    let good = issue(&issuer).await;
    for text in [
        ".".repeat(1 << 20),
        "A".repeat(1 << 20),
        format!("{good}{}", ".".repeat(1 << 20)),
        format!("{}.e30.AA", "A".repeat(8 * 1024)),
        "..".to_owned(),
        "...".to_owned(),
        "....".to_owned(),
        String::new(),
    ] {
        assert_eq!(verify(&issuer, text).await, Err(TokenDenial::Malformed));
    }
    // Rightly signed, and still too long.
    let claims = Object::claims()
        .with("pad", format!("\"{}\"", "x".repeat(8 * 1024)))
        .json();
    let token = forge(&Object::header().json(), &claims, SECRET.as_bytes());
    assert_eq!(verify(&issuer, token).await, Err(TokenDenial::Malformed));
}

/// An encrypted token has five parts (RFC 7516): it is not read at all.
#[tokio::test]
async fn an_encrypted_token_is_not_read() {
    let header =
        encode(r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"zip":"DEF"}"#);
    let token = format!("{header}.AAAA.AAAA.AAAA.AAAA");
    assert_eq!(verify(&issuer(), token).await, Err(TokenDenial::Malformed));
}

fn denied(text: String) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async { verify(&issuer(), text).await.is_err() })
}

proptest! {
    #[test]
    fn arbitrary_text_is_denied_and_never_panics(text in any::<String>()) {
        prop_assert!(denied(text));
    }

    #[test]
    fn text_of_the_right_alphabet_is_denied_and_never_panics(text in "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,50}") {
        prop_assert!(denied(text));
    }

    #[test]
    fn arbitrary_claims_under_a_right_signature_are_denied_and_never_panic(claims in any::<String>()) {
        prop_assert!(denied(forge(&Object::header().json(), &claims, SECRET.as_bytes())));
    }

    #[test]
    fn arbitrary_headers_under_a_right_signature_are_denied_and_never_panic(header in any::<String>()) {
        prop_assert!(denied(forge(&header, &Object::claims().json(), SECRET.as_bytes())));
    }
}
