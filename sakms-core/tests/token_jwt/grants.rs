//! What a token says of the API key that was exchanged for it.

use std::time::Duration;

use sakms_core::id::{KeyId, SessionId};
use sakms_core::token::{KeyGrant, TokenDenial, TokenIssuer as _, TokenRequest};

use crate::forge::{Object, Signer, issuer, verify};

const KEY: &str = "\"01a204dd-296e-729b-8075-c153af97c71a\"";

fn of_key() -> Object {
    Object::claims().with("key_id", KEY)
}

#[tokio::test]
async fn a_key_is_left_out_or_is_one() {
    for signer in Signer::all() {
        let issuer = signer.issuer();
        let ask = async |claims: Object| {
            let token = signer.forge(&signer.header().json(), &claims.json());
            let claims = verify(&issuer, token).await?;
            let scopes = claims.scopes().map(ToString::to_string);
            Ok(claims.key().map(|key| (key.to_string(), scopes.unwrap())))
        };
        let (id, none) = (KEY.trim_matches('"').to_owned(), Ok(None));
        assert_eq!(ask(Object::claims()).await, none);
        // Of another issuer with the same key, who says what it likes of scopes.
        for scope in ["\"not ours\"", "1", "null"] {
            assert_eq!(ask(Object::claims().with("scope", scope)).await, none);
        }
        for (claims, scopes) in [
            (of_key(), ""),
            (of_key().with("scope", "\"\""), ""),
            (of_key().with("client_id", KEY), ""),
            (of_key().with("scope", "\"b:* a:read\""), "a:read b:*"),
        ] {
            let good = Ok(Some((id.clone(), scopes.to_owned())));
            assert_eq!(ask(claims).await, good);
        }
        let shapes = ["null", "true", "17", "1.5", "[]", "{}", "\"\"", "\"x\""];
        let mut bad: Vec<_> = shapes
            .iter()
            .flat_map(|shape| {
                [
                    Object::claims().with("key_id", *shape),
                    of_key().doubled("key_id", shape),
                    of_key().with("client_id", *shape),
                ]
            })
            .collect();
        for shape in [
            "null",
            "true",
            "17",
            "[\"a:b\"]",
            "{}",
            "\"a\"",
            "\"a:b\\n\"",
        ] {
            bad.push(of_key().with("scope", shape));
        }
        bad.push(of_key().with("sid", KEY));
        bad.push(of_key().with("client_id", KEY.to_uppercase()));
        bad.push(Object::claims().with("key_id", KEY.to_uppercase()));
        bad.push(of_key().doubled("key_id", KEY));
        for claims in bad {
            let json = claims.json();
            let verdict: Result<_, TokenDenial> = ask(claims).await;
            assert_eq!(verdict, Err(TokenDenial::Claims), "{json}");
        }
    }
}

#[tokio::test]
async fn what_is_wanted_for_a_key_is_what_is_said() {
    let issuer = issuer();
    let mut request = TokenRequest::new("ada".parse().unwrap());
    let scopes: sakms_core::key::ScopeSet = "a:read b:*".parse().unwrap();
    let key = KeyId::from_bytes([7; 16]);
    request.grant = Some(KeyGrant::new(key, scopes.clone()));
    request.lifetime = Some(Duration::from_millis(90_900));
    let made = issuer.issue(&request).await.unwrap();
    assert_eq!(made.expires_in(), Duration::from_secs(90));
    assert_eq!(made.audience(), None);
    let claims = verify(&issuer, made.token().expose()).await.unwrap();
    assert_eq!((claims.key(), claims.scopes()), (Some(key), Some(&scopes)));
    assert!(claims.extra().is_empty());
    let lifetime = claims.expires_at().since(claims.issued_at());
    assert_eq!(lifetime, Duration::from_secs(90));

    request.audience = Some("elsewhere".parse().unwrap());
    let made = issuer.issue(&request).await.unwrap();
    assert_eq!(made.audience(), request.audience.as_ref());
    let verdict = verify(&issuer, made.token().expose()).await;
    assert_eq!(verdict.err(), Some(TokenDenial::WrongAudience));

    for lifetime in [0, 999, 24 * 3_600_000 + 1_000] {
        request.lifetime = Some(Duration::from_millis(lifetime));
        assert!(issuer.issue(&request).await.is_err(), "{lifetime}");
    }
    // What nobody would look at is not handed out.
    request.lifetime = None;
    let long: Vec<_> = (0..64)
        .map(|number| format!("{}:{number}", "r".repeat(97)))
        .collect();
    let long = long.join(" ").parse().unwrap();
    request.grant = Some(KeyGrant::new(key, long));
    request.session = Some(SessionId::from_bytes([1; 16]));
    assert!(issuer.issue(&request).await.is_err());
}
