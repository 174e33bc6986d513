//! The vectors of the RFCs: what others signed verifies here, and what has one signature gets it.
//!
//! Their headers are not those of our tokens, so they go to the keys themselves and past the reading of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::{SigningKey, VerifyingKey};
use crate::token::{HmacSecret, TokenAlgorithm};

const EDDSA: &str = include_str!("../../../../tests/keys/eddsa.jwk.json");
const ES256: &str = include_str!("../../../../tests/keys/es256.jwk.json");
const RS256: &str = include_str!("../../../../tests/keys/rs256.jwk.json");

/// RFC 7515, appendix A.2; its public half.
const RFC7515_RSA: &str = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
const RFC7515_A1: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA\
     6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RFC7515_A2: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
     pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Q\
     c_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN\
     PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6I\
     eYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC7515_A3: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
     pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqP\
     P3-Kg6NU1Q";
/// RFC 7520, section 4.1.
const RFC7520_RS256: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3V\
     zIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHl\
     vdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9\
     mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp8\
     3xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6\
     x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI\
     -ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
/// RFC 7520, section 4.4.
const RFC7520_HS256: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.SXTigJlzIGEgZGF\
     uZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5\
     kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN\
     3ZXB0IG9mZiB0by4.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";
/// RFC 8037, appendix A.4.
const RFC8037_A4: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AI\
     bQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// A secret that everybody knows, which is why [`HmacSecret::from_bytes`] refuses it.
fn known_secret(k: &str) -> VerifyingKey {
    let bytes = URL_SAFE_NO_PAD.decode(k).unwrap();
    assert!(HmacSecret::from_bytes(&bytes).is_err());
    HmacSecret::unchecked(bytes.into()).unwrap().into()
}

fn public(jwk: &str) -> VerifyingKey {
    VerifyingKey::from(SigningKey::from_jwk(jwk).unwrap())
}

fn parts(token: &str) -> (&[u8], Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (
        signed.as_bytes(),
        URL_SAFE_NO_PAD.decode(signature).unwrap(),
    )
}

#[test]
fn what_others_signed_verifies() {
    let a1 =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let section_4_4 = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg";
    let rsa = VerifyingKey::from_jwk(RFC7515_RSA).unwrap();
    for (what, token, key) in [
        ("RFC 7515 A.1", RFC7515_A1, known_secret(a1)),
        ("RFC 7515 A.2", RFC7515_A2, rsa),
        ("RFC 7515 A.3", RFC7515_A3, public(ES256)),
        ("RFC 7520 4.1", RFC7520_RS256, public(RS256)),
        ("RFC 7520 4.4", RFC7520_HS256, known_secret(section_4_4)),
        ("RFC 8037 A.4", RFC8037_A4, public(EDDSA)),
    ] {
        let (signed, signature) = parts(token);
        let check = |signed: &[u8], signature: &[u8]| key.verifies(signed, signature).unwrap();
        assert!(check(signed, &signature), "{what}");
        for bad in [&signature[1..], &signature[..signature.len() - 1], &[]] {
            assert!(!check(signed, bad), "{what}");
        }
        assert!(
            !check(signed, &[signature.as_slice(), &[0]].concat()),
            "{what}"
        );
        assert!(!check(&signed[1..], &signature), "{what}");
        for at in 0..signature.len() {
            let mut flipped = signature.clone();
            flipped[at] ^= 1;
            assert!(!check(signed, &flipped), "{what} at {at}");
        }
    }
}

/// Ed25519, RSA with PKCS#1 v1.5 and HMAC have one signature for each message; ECDSA draws a number for each.
#[test]
fn what_has_one_signature_gets_it() {
    for (token, jwk, algorithm) in [
        (RFC7520_RS256, RS256, TokenAlgorithm::Rs256),
        (RFC8037_A4, EDDSA, TokenAlgorithm::EdDsa),
    ] {
        let key = SigningKey::from_jwk(jwk).unwrap();
        let (signed, signature) = parts(token);
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.sign(signed).unwrap(), signature);
    }
    let key = SigningKey::from_jwk(ES256).unwrap();
    let (signed, _) = parts(RFC7515_A3);
    let (first, second) = (key.sign(signed).unwrap(), key.sign(signed).unwrap());
    assert_ne!(first, second);
    for signature in [first, second] {
        assert_eq!(signature.len(), 64);
        assert!(key.public_half().verifies(signed, &signature).unwrap());
    }
}

/// RFC 7638, section 3.1, and RFC 8037, appendix A.3.
#[test]
fn names_are_the_thumbprints_of_the_rfcs() {
    let rsa = r#"{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#;
    let rsa = VerifyingKey::from_jwk(rsa).unwrap();
    assert_eq!(rsa.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(
        public(EDDSA).kid(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}
