//! Every member of a token in every shape, each token with a signature that is right.

use sakms_core::id::SessionId;
use sakms_core::token::{
    ExtraClaims, InvalidClaim, Keyring, TokenDenial, TokenIssuer as _, TokenRequest,
};

use crate::forge::{NOW, Object, SECRET, Signer, builder, forge, issuer, verify};

/// Shapes that no member may have, besides the one it must have.
const SHAPES: &[(&str, &str)] = &[
    ("null", "null"),
    ("true", "true"),
    ("number", "17"),
    ("zero", "0"),
    ("float", "1795003600.5"),
    ("whole float", "1795003600.0"),
    ("exponent", "1795003600e0"),
    ("negative", "-1"),
    ("negative zero", "-0"),
    ("huge", "9223372036854775808"),
    ("huger", "18446744073709551616"),
    ("infinite", "1e999"),
    ("string", "\"1795003600\""),
    ("empty string", "\"\""),
    ("array", "[\"acme\"]"),
    ("empty array", "[]"),
    ("object", "{\"acme\":1}"),
];

#[tokio::test]
async fn the_token_that_is_changed_below_is_good() {
    for signer in Signer::all() {
        let token = signer.forge(&signer.header().json(), &Object::claims().json());
        let claims = verify(&signer.issuer(), token).await.unwrap();
        assert_eq!(claims.subject().as_str(), "ada");
        assert_eq!(claims.issuer(), "sakms");
        assert_eq!(claims.audience(), "acme");
        assert_eq!(claims.id(), "3q2-7w");
        assert_eq!(claims.issued_at().as_secs(), NOW);
        assert_eq!(claims.expires_at().as_secs(), NOW + 3_600);
    }
}

#[tokio::test]
async fn every_claim_is_required_has_one_type_and_occurs_once() {
    for signer in Signer::all() {
        assert_eq!(every_claim(&signer).await, 7 * (4 + 2 * SHAPES.len()));
    }
}

async fn every_claim(signer: &Signer) -> usize {
    let (issuer, header) = (signer.issuer(), signer.header().json());
    let mut cases = 0;
    for (name, good) in Object::claims().0 {
        let mut bad = vec![
            ("missing", Object::claims().without(&name)),
            ("twice", Object::claims().doubled(&name, &good)),
            (
                "escaped twice",
                Object::claims().doubled(&escaped(&name), &good),
            ),
            (
                "capitalised",
                Object::claims()
                    .without(&name)
                    .with(&name.to_uppercase(), good),
            ),
        ];
        for (shape, value) in SHAPES {
            bad.push((shape, Object::claims().with(&name, *value)));
            bad.push((
                "twice, in another shape",
                Object::claims().doubled(&name, value),
            ));
        }
        for (shape, claims) in bad {
            let claims = claims.json();
            let token = signer.forge(&header, &claims);
            let answer = verify(&issuer, token).await.map(drop);
            let algorithm = signer.algorithm;
            assert_eq!(
                answer,
                expected(&name, shape),
                "{algorithm} {name} {shape}: {claims}"
            );
            cases += 1;
        }
    }
    cases
}

/// A value of the right type is judged by what it says, any other is denied for its type.
fn expected(name: &str, shape: &str) -> Result<(), TokenDenial> {
    match (name, shape) {
        ("iss", "string" | "empty string") => Err(TokenDenial::WrongIssuer),
        ("aud", "string" | "empty string") => Err(TokenDenial::WrongAudience),
        // An owner may have any name and a token too, and a token may have been good since 1970.
        ("sub" | "jti", "string") | ("nbf", "number" | "zero") => Ok(()),
        _ => Err(TokenDenial::Claims),
    }
}

fn escaped(name: &str) -> String {
    let first = u32::from(name.as_bytes()[0]);
    format!("\\u{first:04x}{}", &name[1..])
}

#[tokio::test]
async fn every_member_of_the_header_is_required_has_one_type_and_occurs_once() {
    for signer in Signer::all() {
        let mut cases = 0;
        for (name, good) in signer.header().0 {
            let mut bad = vec![
                signer.header().without(&name),
                signer.header().doubled(&name, &good),
                signer.header().doubled(&escaped(&name), &good),
                signer
                    .header()
                    .without(&name)
                    .with(&name.to_uppercase(), good),
            ];
            for (_, value) in SHAPES {
                bad.push(signer.header().with(&name, *value));
                bad.push(signer.header().doubled(&name, value));
            }
            cases += deny_all(&signer, &bad, &name).await;
        }
        assert_eq!(cases, 3 * (4 + 2 * SHAPES.len()));
    }
}

#[tokio::test]
async fn a_header_may_ask_for_nothing_and_bring_nothing_along() {
    for signer in Signer::all() {
        for name in [
            "crit",
            "jwk",
            "jku",
            "x5u",
            "x5c",
            "x5t",
            "x5t#S256",
            "b64",
            "zip",
            "enc",
            "cty",
            "p2c",
            "epk",
            "http://acme/x",
        ] {
            let mut bad: Vec<_> = SHAPES
                .iter()
                .map(|(_, value)| signer.header().with(name, *value))
                .collect();
            for value in [
                "[\"exp\"]",
                "\"DEF\"",
                "\"https://evil.example/jwks.json\"",
                &format!("{{\"kty\":\"oct\",\"k\":\"{SECRET}\"}}"),
            ] {
                bad.push(signer.header().with(name, value));
            }
            deny_all(&signer, &bad, name).await;
        }
    }
}

async fn deny_all(signer: &Signer, bad: &[Object], name: &str) -> usize {
    let issuer = signer.issuer();
    for header in bad {
        let header = header.json();
        let token = signer.forge(&header, &Object::claims().json());
        let denied = verify(&issuer, token).await.unwrap_err();
        let of_the_header = matches!(
            denied,
            TokenDenial::Malformed
                | TokenDenial::WrongType
                | TokenDenial::UnknownKey
                | TokenDenial::WrongAlgorithm
        );
        assert!(of_the_header, "{name}: {denied:?} for {header}");
    }
    bad.len()
}

#[tokio::test]
async fn another_issuer_or_audience_is_denied_to_the_letter() {
    let issuer = issuer();
    for (name, value, reason) in [
        ("iss", "\"Sakms\"", TokenDenial::WrongIssuer),
        ("iss", "\"sakm\"", TokenDenial::WrongIssuer),
        ("iss", "\"sakms \"", TokenDenial::WrongIssuer),
        ("iss", "\"sakms\\u0000\"", TokenDenial::WrongIssuer),
        ("iss", "\"https://sakms\"", TokenDenial::WrongIssuer),
        ("aud", "\"acm\"", TokenDenial::WrongAudience),
        ("aud", "\"acme2\"", TokenDenial::WrongAudience),
        ("aud", "\"ACME\"", TokenDenial::WrongAudience),
        ("aud", "\"acme other\"", TokenDenial::WrongAudience),
        ("aud", "[\"acme\",\"other\"]", TokenDenial::Claims),
        (
            "sub",
            &format!("\"{}\"", "a".repeat(129)),
            TokenDenial::Claims,
        ),
        (
            "jti",
            &format!("\"{}\"", "a".repeat(129)),
            TokenDenial::Claims,
        ),
    ] {
        let claims = Object::claims().with(name, value).json();
        let token = forge(&Object::header().json(), &claims, SECRET.as_bytes());
        assert_eq!(verify(&issuer, token).await, Err(reason), "{claims}");
    }
}

#[tokio::test]
async fn what_is_no_object_is_denied() {
    let issuer = issuer();
    let header = Object::header().json();
    let claims = Object::claims().json();
    // serde would read an array as the members in turn.
    let values = |object: Object| {
        let values: Vec<_> = object.0.into_iter().map(|(_, value)| value).collect();
        format!("[{}]", values.join(","))
    };
    for (header, claims, reason) in [
        (
            values(Object::header()),
            claims.clone(),
            TokenDenial::Malformed,
        ),
        (
            format!("{header}{header}"),
            claims.clone(),
            TokenDenial::Malformed,
        ),
        (
            format!("\u{feff}{header}"),
            claims.clone(),
            TokenDenial::Malformed,
        ),
        ("null".to_owned(), claims.clone(), TokenDenial::Malformed),
        (
            header.clone(),
            values(Object::claims()),
            TokenDenial::Claims,
        ),
        (header.clone(), format!("{claims}x"), TokenDenial::Claims),
        (header.clone(), format!("{claims},"), TokenDenial::Claims),
        (header.clone(), format!("\"{claims}\""), TokenDenial::Claims),
        (header.clone(), "[".repeat(2_000), TokenDenial::Claims),
        (header.clone(), "{\"a\":".repeat(800), TokenDenial::Claims),
        (header.clone(), "{}".to_owned(), TokenDenial::Claims),
    ] {
        let token = forge(&header, &claims, SECRET.as_bytes());
        assert_eq!(
            verify(&issuer, token).await,
            Err(reason),
            "{header} {claims}"
        );
    }
}

#[tokio::test]
async fn claims_of_others_are_kept_and_occur_once() {
    let more = |claims: Object| {
        let claims = claims
            .with("scope", "\"keys:read\"")
            .with("x", "{\"y\":[1.5,null]}");
        forge(&Object::header().json(), &claims.json(), SECRET.as_bytes())
    };
    let issuer = issuer();
    let claims = verify(&issuer, more(Object::claims())).await.unwrap();
    assert_eq!(claims.extra().names().collect::<Vec<_>>(), ["scope", "x"]);
    let scope = claims.extra().get::<String>("scope");
    assert_eq!(scope, Ok(Some("keys:read".to_owned())));
    assert_eq!(claims.extra().get::<u64>("scope"), Err(InvalidClaim::Type));
    assert_eq!(claims.session(), None);
    for name in ["scope", "x", "\\u0078"] {
        let twice = Object::claims().doubled(name, "1").doubled(name, "1");
        assert_eq!(
            verify(&issuer, more(twice)).await,
            Err(TokenDenial::Claims),
            "{name}"
        );
    }
}

/// The session is left out, or is one. It has every shape that the others have, too.
#[tokio::test]
async fn the_session_is_left_out_or_is_one() {
    const SESSION: &str = "\"01a204dd-296e-729b-8075-c153af97c71a\"";
    for signer in Signer::all() {
        let issuer = signer.issuer();
        let ask = async |claims: Object| {
            let token = signer.forge(&signer.header().json(), &claims.json());
            verify(&issuer, token).await.map(|claims| claims.session())
        };
        let of_session = || Object::claims().with("sid", SESSION);
        let session: SessionId = SESSION.trim_matches('"').parse().unwrap();
        assert_eq!(ask(of_session()).await, Ok(Some(session)));
        assert_eq!(ask(Object::claims()).await, Ok(None));
        assert_eq!(ask(Object::claims().with("SID", SESSION)).await, Ok(None));
        let mut bad: Vec<_> = SHAPES
            .iter()
            .flat_map(|(_, value)| {
                [
                    Object::claims().with("sid", *value),
                    of_session().doubled("sid", value),
                ]
            })
            .collect();
        for text in [
            &SESSION.to_uppercase(),
            &SESSION.replace('-', ""),
            "\"x\"",
            "\"01a204dd-296e-729b-8075-c153af97c71a \"",
        ] {
            bad.push(Object::claims().with("sid", text));
        }
        bad.push(of_session().doubled("sid", SESSION));
        bad.push(of_session().doubled(&escaped("sid"), SESSION));
        for claims in bad {
            let json = claims.json();
            assert_eq!(ask(claims).await, Err(TokenDenial::Claims), "{json}");
        }
    }
}

#[tokio::test]
async fn a_host_says_what_it_likes_under_names_of_its_own() {
    let issuer = issuer();
    let extra = ExtraClaims::new()
        .with("plan", "gold")
        .unwrap()
        .with("https://acme.example/seats", 12)
        .unwrap()
        .with("teams", ["red", "blue"])
        .unwrap()
        .with("none", ())
        .unwrap();
    let mut request = TokenRequest::new("ada".parse().unwrap());
    request.extra = extra.clone();
    let session = SessionId::from_bytes([7; 16]);
    request.session = Some(session);
    let made = issuer.issue(&request).await.unwrap();
    let claims = verify(&issuer, made.token().expose()).await.unwrap();
    assert_eq!((claims.extra(), claims.session()), (&extra, Some(session)));
    assert_eq!(claims.subject().as_str(), "ada");
}

#[test]
fn a_host_cannot_say_what_sakms_says() {
    let with = |name: &str| ExtraClaims::new().with(name, 1);
    for name in ExtraClaims::RESERVED {
        assert_eq!(with(name), Err(InvalidClaim::Reserved), "{name}");
    }
    for (name, _) in Object::claims().0 {
        assert_eq!(with(&name), Err(InvalidClaim::Reserved), "{name}");
        assert!(with(&name.to_uppercase()).is_ok());
    }
    for name in ["", "a\nb", "a\0", &"a".repeat(257)] {
        assert_eq!(with(name), Err(InvalidClaim::Name), "{name:?}");
    }
    assert_eq!(with("a").unwrap().with("a", 1), Err(InvalidClaim::Twice));
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(ExtraClaims::new().with("a", map), Err(InvalidClaim::Value));
    let fits = |length| ExtraClaims::new().with("a", "x".repeat(length)).map(drop);
    assert_eq!(fits(4_096 - 8), Ok(()));
    assert_eq!(fits(4_096 - 7), Err(InvalidClaim::TooLarge));
}

/// The largest that a host may say, with the longest of everything else, is a token that is good.
#[tokio::test]
async fn the_largest_token_is_not_too_long() {
    for signer in Signer::all() {
        let long = "\"".repeat(256);
        let issuer = builder(Keyring::new(
            signer.key().with_kid(&"k".repeat(64)).unwrap(),
        ))
        .issuer(&long)
        .audience(&long)
        .build()
        .unwrap();
        let mut request = TokenRequest::new("\"".repeat(128).parse().unwrap());
        request.session = Some(SessionId::from_bytes([7; 16]));
        request.extra = ExtraClaims::new().with("a", "x".repeat(4_096 - 8)).unwrap();
        let made = issuer.issue(&request).await.unwrap();
        assert!(verify(&issuer, made.token().expose()).await.is_ok());
    }
}
