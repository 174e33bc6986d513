use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

const SEED: &str = "CHANGE_ME_SUPER_SECRET";
const STRONG: &str = "kT3vQ9xZr7Lw2NfYb8HcJ5mGd4SpAe6U";

fn refused(text: &str) -> Option<InvalidSecret> {
    text.parse::<HmacSecret>().err()
}

#[test]
fn the_secret_of_the_example_is_refused_however_it_is_dressed_up() {
    for text in [
        SEED.to_owned(),
        SEED.repeat(2),
        SEED.repeat(20),
        SEED.to_lowercase().repeat(2),
        format!("{SEED}\n"),
        format!("{SEED}{}", "0".repeat(40)),
        format!("{SEED}{}", "1234567890".repeat(4)),
        format!("{SEED}-abcdefghijklmnopqrstuvwxyz-0123456789"),
        format!("{SEED}_PLEASE_REALLY_DO_IT"),
        format!("my-{SEED}-for-production-2026"),
        format!("xxxxxxxxxxxxxxxx{SEED}"),
        "change-me super secret, change-me super secret".to_owned(),
        BASE64.encode(SEED),
        BASE64.encode(SEED.repeat(2)),
        URL_SAFE_NO_PAD.encode(SEED.repeat(2)),
    ] {
        assert_eq!(refused(&text), Some(InvalidSecret::Known), "{text}");
    }
}

#[test]
fn other_known_secrets_are_refused() {
    for text in [
        "secret",
        "your-256-bit-secret",
        "your-256-bit-secret-your-256-bit-secret",
        "your-512-bit-secret",
        "a-string-secret-at-least-256-bits-long",
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
        "changeme",
        "changemechangemechangemechangeme",
        "passwordpasswordpasswordpassword",
        "thisisaverylongsecretkeyforjwttokens!",
        "qwertyuiopasdfghjklzxcvbnm123456",
    ] {
        assert_eq!(refused(text), Some(InvalidSecret::Known), "{text}");
    }
    let rfc = URL_SAFE_NO_PAD
        .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
        .unwrap();
    assert_eq!(
        HmacSecret::from_bytes(&rfc).unwrap_err(),
        InvalidSecret::Known
    );
}

#[test]
fn what_is_short_repetitive_or_a_sentence_is_refused() {
    for (text, reason) in [
        ("", InvalidSecret::TooShort),
        (&STRONG[1..], InvalidSecret::TooShort),
        (&format!(" {} ", &STRONG[1..]), InvalidSecret::TooShort),
        (&"\0".repeat(32), InvalidSecret::Weak),
        (&"a".repeat(64), InvalidSecret::Weak),
        (&"0123".repeat(16), InvalidSecret::Weak),
        (
            &format!("{}{}", "a".repeat(24), &STRONG[..20]),
            InvalidSecret::Weak,
        ),
        (&STRONG[..16].repeat(2), InvalidSecret::Repetitive),
        (&STRONG.repeat(2), InvalidSecret::Repetitive),
        (&STRONG.repeat(3)[..90], InvalidSecret::Repetitive),
        (
            "0123456789abcdef0123456789abcdef",
            InvalidSecret::Repetitive,
        ),
        (
            "abcdefghijklmnopqrstuvwxyz0123456789",
            InvalidSecret::Repetitive,
        ),
        (
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            InvalidSecret::Repetitive,
        ),
        (
            "dinner1dinner2dinner3dinner4dinner5",
            InvalidSecret::Repetitive,
        ),
        (
            "the quick brown fox jumps over the lazy dog",
            InvalidSecret::Words,
        ),
        (
            "This-Is-My-Very-Long-Jwt-Key-For-2026",
            InvalidSecret::Words,
        ),
        ("WHAT_SHALL_I_EVER_PUT_HERE_I_WONDER", InvalidSecret::Words),
        (
            &format!("{STRONG}{}", "x7".repeat(600)),
            InvalidSecret::TooLong,
        ),
    ] {
        assert_eq!(refused(text), Some(reason), "{text}");
    }
}

#[test]
fn the_key_of_another_algorithm_is_refused() {
    // An Ed25519 public key, a P-256 public key and the beginnings of an RSA one (RFC 8410, RFC 5480).
    let ed25519 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{ed25519}\n-----END PUBLIC KEY-----\n");
    let mut rsa = vec![0x30, 0x82, 0x01, 0x22, 0x30, 0x0d];
    rsa.extend((0..=255_u8).cycle().skip(7).step_by(3).take(288));
    let wrapped: String = BASE64
        .encode(&rsa)
        .as_bytes()
        .chunks(64)
        .flat_map(|line| [std::str::from_utf8(line).unwrap(), "\n"])
        .collect();
    for text in [
        ed25519,
        &pem,
        &format!("  {pem}"),
        &wrapped,
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE ada",
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        r#" {"keys":[{"use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
        "-----BEGIN CERTIFICATE-----",
    ] {
        assert_eq!(refused(text), Some(InvalidSecret::KeyFile), "{text}");
    }
    for der in [BASE64.decode(ed25519).unwrap(), rsa] {
        assert_eq!(
            HmacSecret::from_bytes(&der).unwrap_err(),
            InvalidSecret::KeyFile
        );
    }
}

#[test]
fn a_strong_secret_may_have_a_name_in_front() {
    assert_eq!(refused(STRONG), None);
    assert_eq!(refused(&format!("{STRONG}\n")), None);
    assert_eq!(refused(&format!("acme-token-secret-{STRONG}")), None);
    assert_eq!(refused(&format!("changeme{STRONG}")), None);
}

#[test]
fn a_reason_never_holds_a_part_of_the_secret() {
    for text in [SEED, "dinner1dinner2dinner3dinner4dinner5", "-----BEGIN"] {
        let reason = refused(text).unwrap();
        let said = format!("{reason} {reason:?}");
        assert!(!said.contains("CHANGE") && !said.contains("dinner") && !said.contains("BEGIN"));
    }
}

proptest! {
    #[test]
    fn random_secrets_are_taken_in_every_spelling(bytes in any::<[u8; 32]>().prop_filter("zeros when shrunk", |bytes| shape(bytes).is_ok())) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        prop_assert_eq!(refused(&hex), None);
        prop_assert_eq!(refused(&hex[..32]), None);
        prop_assert_eq!(refused(&BASE64.encode(bytes)), None);
        prop_assert_eq!(refused(&URL_SAFE_NO_PAD.encode(bytes)), None);
        prop_assert!(HmacSecret::from_bytes(&bytes).is_ok());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = HmacSecret::from_bytes(&bytes);
    }
}
