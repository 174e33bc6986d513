//! When a token is good. The clock is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::{Clock as _, ManualClock, Timestamp};
use sakms_core::entropy::OsEntropy;
use sakms_core::token::{
    HmacSecret, InvalidTokenConfig, JwtIssuer, Keyring, TokenDenial, TokenIssuer as _, TokenRequest,
};

use crate::forge::{NOW, Object, SECRET, builder, clock, forge, issue, secret, verify};

fn issuer_at(clock: &Arc<ManualClock>, leeway: u64) -> JwtIssuer {
    builder(Keyring::hs256(secret(SECRET)))
        .clock(Arc::clone(clock) as _)
        .leeway(Duration::from_secs(leeway))
        .build()
        .unwrap()
}

fn at(seconds: i64, micros: i64) -> Timestamp {
    Timestamp::from_micros((NOW + seconds) * 1_000_000 + micros).unwrap()
}

#[tokio::test]
async fn a_token_ends_with_its_lifetime_and_the_leeway() {
    for leeway in [0, 5, 30] {
        let clock = clock();
        let issuer = issuer_at(&clock, leeway);
        let token = issue(&issuer).await;
        let end = 3_600 + i64::try_from(leeway).unwrap();
        for (moment, good) in [
            (at(0, 0), true),
            (at(3_599, 999_999), true),
            (at(end, -1), true),
            (at(end, 0), false),
            (at(end + 1, 0), false),
            (Timestamp::MAX, false),
        ] {
            clock.set(moment);
            let answer = verify(&issuer, token.clone()).await;
            let expected = if good {
                Ok(())
            } else {
                Err(TokenDenial::Expired)
            };
            assert_eq!(answer.map(drop), expected, "{moment} with {leeway} s");
        }
    }
}

#[tokio::test]
async fn a_token_from_the_future_is_denied_past_the_leeway() {
    for leeway in [0, 5, 30] {
        let clock = clock();
        let issuer = issuer_at(&clock, leeway);
        let token = issue(&issuer).await;
        let start = -i64::try_from(leeway).unwrap();
        for (moment, good) in [
            (at(start, 0), true),
            (at(start, -1), false),
            (at(-3_600, 0), false),
            (Timestamp::EPOCH, false),
        ] {
            clock.set(moment);
            let answer = verify(&issuer, token.clone()).await;
            let expected = if good {
                Ok(())
            } else {
                Err(TokenDenial::NotYetValid)
            };
            assert_eq!(answer.map(drop), expected, "{moment} with {leeway} s");
        }
    }
}

#[tokio::test]
async fn the_three_times_are_checked_each_by_itself() {
    let issuer = issuer_at(&clock(), 5);
    for (iat, nbf, exp, answer) in [
        (0, 0, 3_600, Ok(())),
        (5, 5, 3_600, Ok(())),
        (-100, -50, 1, Ok(())),
        (-100, -50, -4, Ok(())),
        (-100, -50, -5, Err(TokenDenial::Expired)),
        (6, 0, 3_600, Err(TokenDenial::NotYetValid)),
        (0, 6, 3_600, Err(TokenDenial::NotYetValid)),
        (0, 0, 0, Err(TokenDenial::Claims)),
        (0, 0, -1, Err(TokenDenial::Claims)),
        (0, 0, 86_400, Ok(())),
        (0, 0, 86_401, Err(TokenDenial::Claims)),
        (-NOW, 0, 3_600, Err(TokenDenial::Claims)),
        (0, 0, 253_402_300_799 - NOW, Err(TokenDenial::Claims)),
        (0, 0, 253_402_300_800 - NOW, Err(TokenDenial::Claims)),
        (0, 253_402_300_800 - NOW, 3_600, Err(TokenDenial::Claims)),
    ] {
        let claims = Object::claims()
            .with("iat", (NOW + iat).to_string())
            .with("nbf", (NOW + nbf).to_string())
            .with("exp", (NOW + exp).to_string());
        let token = forge(&Object::header().json(), &claims.json(), SECRET.as_bytes());
        assert_eq!(
            verify(&issuer, token).await.map(drop),
            answer,
            "{iat} {nbf} {exp}"
        );
    }
}

#[tokio::test]
async fn a_lifetime_is_what_was_asked_for_in_whole_seconds() {
    let issuer = builder(Keyring::hs256(secret(SECRET)))
        .lifetime(Duration::from_millis(90_700))
        .build()
        .unwrap();
    let request = TokenRequest::new("ada".parse().unwrap());
    let made = issuer.issue(&request).await.unwrap();
    assert_eq!(made.expires_in(), Duration::from_secs(90));
    let claims = verify(&issuer, made.token().expose()).await.unwrap();
    assert_eq!(
        claims.expires_at().since(claims.issued_at()),
        Duration::from_secs(90)
    );
    assert_eq!(claims.issued_at(), clock().now());
}

#[test]
fn what_is_out_of_bounds_is_refused() {
    let base = || builder(Keyring::hs256(HmacSecret::generate(&OsEntropy).unwrap()));
    let name = "a".repeat(257);
    for (built, reason) in [
        (
            base().lifetime(Duration::from_millis(59_999)),
            InvalidTokenConfig::Lifetime,
        ),
        (
            base().lifetime(Duration::from_secs(86_401)),
            InvalidTokenConfig::Lifetime,
        ),
        (base().lifetime(Duration::MAX), InvalidTokenConfig::Lifetime),
        (
            base().leeway(Duration::from_millis(30_001)),
            InvalidTokenConfig::Leeway,
        ),
        (base().audience(""), InvalidTokenConfig::Audience),
        (base().audience(&name), InvalidTokenConfig::Audience),
        (base().audience("a\nb"), InvalidTokenConfig::Audience),
        (base().issuer(""), InvalidTokenConfig::Issuer),
    ] {
        assert_eq!(built.build().unwrap_err(), reason);
    }
    let none = JwtIssuer::builder(Keyring::hs256(secret(SECRET))).build();
    assert_eq!(none.unwrap_err(), InvalidTokenConfig::Audience);
    assert!(base().lifetime(Duration::from_mins(1)).build().is_ok());
    assert!(base().lifetime(Duration::from_hours(24)).build().is_ok());
    assert!(base().leeway(Duration::from_secs(30)).build().is_ok());
}
