//! Makes tokens by hand, rightly signed or not, without any of the code under test.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sakms_core::clock::{ManualClock, Timestamp};
use sakms_core::secret::BearerToken;
use sakms_core::token::{
    Claims, HmacSecret, JwtIssuer, JwtIssuerBuilder, Keyring, TokenDenial, TokenIssuer,
    TokenRequest,
};
use sakms_core::verdict::Verdict;
use sha2::Sha256;

pub(crate) const SECRET: &str = "kT3vQ9xZr7Lw2NfYb8HcJ5mGd4SpAe6U";
pub(crate) const OTHER: &str = "W8yPz4BqVn6Tf1RjXs5KuDh3MgCe7LaQ";
/// 2026-11-18T11:06:40Z.
pub(crate) const NOW: i64 = 1_795_000_000;

pub(crate) fn secret(text: &str) -> HmacSecret {
    text.parse().unwrap()
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(
        Timestamp::from_micros(NOW * 1_000_000).unwrap(),
    ))
}

/// An issuer at [`NOW`] whose tokens `forge` imitates.
pub(crate) fn builder(keyring: Keyring) -> JwtIssuerBuilder {
    JwtIssuer::builder(keyring).audience("acme").clock(clock())
}

pub(crate) fn issuer() -> JwtIssuer {
    builder(Keyring::hs256(secret(SECRET))).build().unwrap()
}

pub(crate) async fn issue(issuer: &JwtIssuer) -> String {
    let request = TokenRequest::new("ada".parse().unwrap());
    let made = issuer.issue(&request).await.unwrap();
    made.into_token().expose().to_owned()
}

/// The answer to a text. "Could not decide" would be a failure of the test: a text cannot cause it.
pub(crate) async fn verify(
    issuer: &JwtIssuer,
    text: impl Into<String>,
) -> Result<Claims, TokenDenial> {
    let token = BearerToken::new(text.into());
    let verdict: Verdict<_, _> = issuer.verify(&token).await.unwrap();
    verdict.into_result()
}

/// The members of a JSON object, each with its value as JSON text; so it may hold what no library would write.
#[derive(Clone)]
pub(crate) struct Object(pub(crate) Vec<(String, String)>);

impl Object {
    pub(crate) fn header() -> Self {
        Self::of(&[
            ("alg", "\"HS256\""),
            ("typ", "\"at+jwt\""),
            ("kid", &format!("\"{}\"", secret(SECRET).kid())),
        ])
    }

    pub(crate) fn claims() -> Self {
        Self::of(&[
            ("iss", "\"sakms\""),
            ("aud", "\"acme\""),
            ("sub", "\"ada\""),
            ("iat", &NOW.to_string()),
            ("nbf", &NOW.to_string()),
            ("exp", &(NOW + 3_600).to_string()),
            ("jti", "\"3q2-7w\""),
        ])
    }

    fn of(members: &[(&str, &str)]) -> Self {
        let owned = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self(owned.collect())
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(member, _)| member != name);
        self
    }

    /// With this value in the member's place, or at the end when there is none.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        match self.0.iter_mut().find(|(member, _)| member == name) {
            Some(member) => member.1 = value.into(),
            None => self.0.push((name.to_owned(), value.into())),
        }
        self
    }

    /// With a second member of this name.
    pub(crate) fn doubled(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(&self) -> String {
        let members = self
            .0
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// A token with this header and these claims, signed with HMAC-SHA-256 under this secret.
pub(crate) fn forge(header: &str, claims: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret)
        .unwrap()
        .chain_update(&signed)
        .finalize()
        .into_bytes();
    format!("{signed}.{}", encode(mac))
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
