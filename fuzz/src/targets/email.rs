//! E-mail addresses: a person has one canonical form, however they are written.

use sakms_core::account::{CanonicalEmail, Email};
use unicode_normalization::UnicodeNormalization as _;

use crate::draw::Draw;

/// Runs the target.
pub fn run(data: &[u8]) {
    let text = Draw::new(data).text();
    let Ok(email) = Email::parse(&text) else {
        return;
    };
    let canonical = email.canonical().as_str();
    assert_eq!(email.as_given(), text);
    assert!(canonical.len() <= CanonicalEmail::MAX_BYTES);
    let (local, domain) = canonical.split_once('@').unwrap();
    assert!(!local.is_empty() && !local.contains('"'), "{canonical:?}");
    assert!(
        !domain.contains('@') && domain.contains('.'),
        "{canonical:?}"
    );
    let is_host = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    assert!(domain.bytes().all(is_host), "{canonical:?}");
    assert!(!canonical.chars().any(is_unseen), "{canonical:?}");

    let again = Email::parse(canonical).map(|again| again.canonical().as_str().to_owned());
    assert_eq!(
        again.as_deref(),
        Ok(canonical),
        "it is its own canonical form"
    );
    let spellings = [
        text.nfc().collect(),
        text.nfd().collect(),
        text.nfkc().collect::<String>(),
    ];
    for spelling in spellings {
        if let Ok(other) = Email::parse(&spelling) {
            assert_eq!(other.canonical().as_str(), canonical, "{spelling:?}");
        }
    }
    if text.is_ascii() {
        let shouted = Email::parse(&text.to_ascii_uppercase()).unwrap();
        assert_eq!(shouted.canonical().as_str(), canonical);
    }
}

/// What nobody sees, or what turns the direction of what they see (UAX 9), among the characters that matter most.
fn is_unseen(character: char) -> bool {
    let turns = matches!(character, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{E0001}' | '\u{E0020}'..='\u{E007F}');
    character.is_control() || character.is_whitespace() || turns
}
