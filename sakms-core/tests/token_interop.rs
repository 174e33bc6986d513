//! Another library checks our tokens by what we publish, and we check its: PyJWT, where a Python has it.
//!
//! `SAKMS_TEST_PYTHON` names that Python; `python3` is tried when it is not set. Nothing is installed.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use sakms_core::clock::{Clock as _, ManualClock, Timestamp};
use sakms_core::secret::BearerToken;
use sakms_core::testkit::skipped;
use sakms_core::token::{
    HmacSecret, JwtIssuer, Keyring, SigningKey, TokenDenial, TokenIssuer as _, TokenRequest,
};
use serde_json::{Value, json};

const SECRET: &str = "kT3vQ9xZr7Lw2NfYb8HcJ5mGd4SpAe6U";
/// Checks tokens with the keys of a set, and makes one with each key that it is given.
const SCRIPT: &str = r#"
import json, sys
import jwt

asked = json.load(sys.stdin)
must_have = ["iss", "aud", "sub", "iat", "nbf", "exp", "jti"]

def check(token):
    kid = jwt.get_unverified_header(token)["kid"]
    if kid in asked["secrets"]:
        key, algorithm = asked["secrets"][kid], "HS256"
    else:
        key = jwt.PyJWKSet.from_dict(asked["jwks"])[kid]
        algorithm = key.algorithm_name
    return jwt.decode(token, key, algorithms=[algorithm], audience="acme", issuer="sakms",
                      options={"require": must_have, "verify_exp": False})

def make(key):
    if "secret" in key:
        private = key["secret"]
    else:
        private = jwt.PyJWK(json.loads(key["jwk"]), algorithm=key["alg"]).key
    headers = {"typ": "at+jwt", "kid": key["kid"]}
    return jwt.encode(asked["claims"], private, algorithm=key["alg"], headers=headers)

def refused(token):
    try:
        check(token)
        return False
    except jwt.InvalidTokenError:
        return True

json.dump({
    "version": jwt.__version__,
    "checked": [check(token) for token in asked["tokens"]],
    "refused": [refused(token) for token in asked["bad"]],
    "made": [make(key) for key in asked["keys"]],
}, sys.stdout)
"#;

const KEYS: [(&str, &str); 3] = [
    ("EdDSA", include_str!("keys/eddsa.jwk.json")),
    ("ES256", include_str!("keys/es256.jwk.json")),
    ("RS256", include_str!("keys/rs256.jwk.json")),
];

/// A Python that has PyJWT with its cryptography, or nothing after saying so.
fn python() -> Option<String> {
    let python = std::env::var("SAKMS_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", "import cryptography; from jwt import PyJWKSet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if found {
        return Some(python);
    }
    skipped(
        "pyjwt",
        &format!("{python} has no PyJWT with cryptography (SAKMS_TEST_PYTHON names another)"),
    );
    None
}

fn ask(python: &str, question: &Value) -> Value {
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(question.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the script failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn issuer(key: impl Into<SigningKey>, clock: &Arc<ManualClock>) -> JwtIssuer {
    JwtIssuer::builder(Keyring::new(key))
        .audience("acme")
        .clock(Arc::clone(clock) as _)
        .build()
        .unwrap()
}

#[tokio::test]
async fn pyjwt_checks_our_tokens_and_we_check_its() {
    let Some(python) = python() else { return };
    // PyJWT asks the machine for the time; ours stands in the past, and PyJWT is told not to ask whether that is over.
    let clock = Arc::new(ManualClock::at(
        Timestamp::from_micros(1_600_000_000_000_000).unwrap(),
    ));
    let secret = || SECRET.parse::<HmacSecret>().unwrap();
    let mut issuers = KEYS
        .map(|(_, jwk)| issuer(SigningKey::from_jwk(jwk).unwrap(), &clock))
        .into_iter()
        .collect::<Vec<_>>();
    issuers.push(issuer(secret(), &clock));

    let mut published = Vec::new();
    let mut tokens = Vec::new();
    for issuer in &issuers {
        let keys = serde_json::to_value(issuer.jwks().unwrap()).unwrap();
        published.extend(keys["keys"].as_array().unwrap().clone());
        let request = TokenRequest::new("ada".parse().unwrap());
        let made = issuer.issue(&request).await.unwrap();
        tokens.push(made.into_token().expose().to_owned());
    }
    let bad: Vec<_> = tokens
        .iter()
        .map(|token| {
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let middle = signature.len() / 2;
            let other = if signature.as_bytes()[middle] == b'A' {
                "B"
            } else {
                "A"
            };
            format!(
                "{signed}.{}{other}{}",
                &signature[..middle],
                &signature[middle + 1..]
            )
        })
        .collect();
    let mut keys: Vec<_> = KEYS
        .iter()
        .zip(&published)
        .map(|((alg, jwk), public)| json!({"alg": alg, "jwk": jwk, "kid": public["kid"]}))
        .collect();
    keys.push(json!({"alg": "HS256", "secret": SECRET, "kid": secret().kid()}));
    let now = clock.now().as_secs();
    let claims = json!({
        "iss": "sakms", "aud": "acme", "sub": "ada", "jti": "of-python",
        "iat": now, "nbf": now, "exp": now + 3_600, "scope": "not ours",
    });
    let question = json!({
        "jwks": {"keys": published},
        "secrets": {(secret().kid()): SECRET},
        "tokens": tokens,
        "bad": bad,
        "keys": keys,
        "claims": claims,
    });
    let answer = ask(&python, &question);

    assert_eq!(published.len(), 3);
    let checked = answer["checked"].as_array().unwrap();
    assert_eq!(checked.len(), 4);
    for claims in checked {
        assert_eq!(
            (&claims["sub"], &claims["iat"]),
            (&json!("ada"), &json!(now))
        );
    }
    assert_eq!(answer["refused"], json!([true, true, true, true]));

    let made = answer["made"].as_array().unwrap();
    for (place, token) in made.iter().enumerate() {
        let token = BearerToken::new(token.as_str().unwrap().to_owned());
        for (other, issuer) in issuers.iter().enumerate() {
            let verdict = issuer.verify(&token).await.unwrap().into_result();
            if place == other {
                let claims = verdict.unwrap();
                assert_eq!(
                    (claims.subject().as_str(), claims.id()),
                    ("ada", "of-python")
                );
            } else {
                assert_eq!(verdict, Err(TokenDenial::UnknownKey));
            }
        }
    }
}
