//! The one place that signs, and the one that checks a signature.
//!
//! The `jsonwebtoken` crate keeps its cryptography behind a provider that is chosen once per process, by whoever
//! comes first, and panics when its features leave the choice open. A library has no say in that: the provider is
//! taken by name here, so that neither a choice of the host's nor another crate's features change what SAKMS does,
//! nor SAKMS what the host's own tokens do.
//!
//! Two signatures take randomness that no [`Entropy`](crate::entropy::Entropy) gives: ES256 draws a number for each
//! signature and RS256 blinds the private key, both from the generator inside aws-lc, which lets nobody put in another.
//! EdDSA and HS256 take none. Keys are drawn from `Entropy`.

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

use super::TokenError;

/// The signature of `message`.
pub(super) fn sign(
    algorithm: Algorithm,
    key: &EncodingKey,
    message: &[u8],
) -> Result<Vec<u8>, TokenError> {
    (DEFAULT_PROVIDER.signer_factory)(&algorithm, key)
        .map_err(TokenError::new)?
        .try_sign(message)
        .map_err(TokenError::new)
}

/// Whether `signature` is that of `message`; compared in constant time.
pub(super) fn verifies(
    algorithm: Algorithm,
    key: &DecodingKey,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, TokenError> {
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key).map_err(TokenError::new)?;
    Ok(verifier.verify(message, &signature.to_vec()).is_ok())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    /// RFC 7515, appendix A.1. Its header is `{"typ":"JWT",\r\n "alg":"HS256"}`, which no token of ours has, so it
    /// goes through the primitive alone.
    #[test]
    fn the_vector_of_the_rfc_verifies_and_is_made_again() {
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD
            .decode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
            .unwrap();

        let encoding = EncodingKey::from_secret(&key);
        let decoding = DecodingKey::from_secret(&key);
        let message = message.as_bytes();
        assert_eq!(
            sign(Algorithm::HS256, &encoding, message).unwrap(),
            signature
        );
        let check = |message: &[u8], signature: &[u8]| {
            verifies(Algorithm::HS256, &decoding, message, signature).unwrap()
        };
        assert!(check(message, &signature));
        assert!(!check(&message[1..], &signature));
        assert!(!check(message, &signature[1..]));
        assert!(!check(message, &[]));
    }

    #[test]
    fn a_key_of_another_family_is_an_error_and_not_a_no() {
        let key = DecodingKey::from_secret(&[7; 32]);
        assert!(verifies(Algorithm::RS256, &key, b"message", &[]).is_err());
        let key = EncodingKey::from_secret(&[7; 32]);
        assert!(sign(Algorithm::EdDSA, &key, b"message").is_err());
    }
}
