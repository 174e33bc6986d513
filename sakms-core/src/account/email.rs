//! E-mail addresses: one person, one spelling.
//!
//! An address is brought to its canonical form first and checked afterwards, so that a character that turns into
//! `@` or a dot on the way cannot slip past the check.

use std::fmt;

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization as _;

/// The canonical form of an address: what makes two spellings the same account.
///
/// The local part is normalised (NFKC) and lower-cased, the domain is brought to its IDNA form (UTS 46).
/// `Ada@Bücher.example` and `ada@xn--bcher-kva.example` are one account.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CanonicalEmail(String);

impl CanonicalEmail {
    /// The longest canonical form in bytes.
    pub const MAX_BYTES: usize = 254;

    /// The form a store keeps and compares byte by byte.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a store read back.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for CanonicalEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CanonicalEmail([personal])")
    }
}

/// An address that was given and is valid.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    given: String,
    canonical: CanonicalEmail,
}

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InvalidEmail`] when it is not one, is longer than 254 bytes, has no domain with a dot, is quoted, or holds
    /// control or direction characters.
    pub fn parse(given: &str) -> Result<Self, InvalidEmail> {
        if given.len() > CanonicalEmail::MAX_BYTES || given.chars().any(is_invisible) {
            return Err(InvalidEmail);
        }
        let normal: String = given.nfkc().collect();
        let (local, domain) = normal.split_once('@').ok_or(InvalidEmail)?;
        // Lower-casing can undo the normal form (`İ` becomes `i` and a dot above), so it is normalised again.
        let local: String = local.to_lowercase().nfkc().collect();
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidEmail)?;
        let canonical = format!("{local}@{domain}");

        let options = Options::default()
            .with_required_tld()
            .without_display_text()
            .without_domain_literal();
        let valid = canonical.len() <= CanonicalEmail::MAX_BYTES
            && canonical.bytes().filter(|&byte| byte == b'@').count() == 1
            && !canonical.contains('"')
            && !canonical.chars().any(is_invisible)
            && EmailAddress::parse_with_options(&canonical, options).is_ok();
        if !valid {
            return Err(InvalidEmail);
        }
        Ok(Self {
            given: given.to_owned(),
            canonical: CanonicalEmail(canonical),
        })
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_given(&self) -> &str {
        &self.given
    }

    /// The address for an envelope: the local part as it was given, in the normal form (NFKC), and the domain in its IDNA form.
    #[must_use]
    pub fn to_deliver(&self) -> String {
        let normal: String = self.given.nfkc().collect();
        let local = normal.split_once('@').map(|(local, _)| local);
        let domain = self.canonical.0.split_once('@').map(|(_, domain)| domain);
        match (local, domain) {
            (Some(local), Some(domain)) => format!("{local}@{domain}"),
            // An address has both.
            _ => self.canonical.0.clone(),
        }
    }

    /// The form by which an account is found.
    #[must_use]
    pub const fn canonical(&self) -> &CanonicalEmail {
        &self.canonical
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email([personal])")
    }
}

/// Characters that a reader does not see: control, format, direction and the like.
fn is_invisible(character: char) -> bool {
    let format = matches!(character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}');
    character.is_control() || character.is_whitespace() || format
}

/// The text is not an e-mail address that can be signed up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidEmail;

impl fmt::Display for InvalidEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid e-mail address: expected name@domain.tld, at most 254 bytes")
    }
}

impl std::error::Error for InvalidEmail {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        Email::parse(text).unwrap().canonical().as_str().to_owned()
    }

    #[test]
    fn spellings_of_one_address_are_one() {
        for spelling in [
            "ada@example.com",
            "Ada@Example.COM",
            "ADA@EXAMPLE.COM",
            "ａｄａ@example.com",
            "ada@ｅxample.com",
        ] {
            assert_eq!(canonical(spelling), "ada@example.com", "{spelling}");
        }
        assert_eq!(
            canonical("jose\u{301}@example.com"),
            canonical("jos\u{e9}@EXAMPLE.com")
        );
        assert_eq!(
            canonical("ada@Bücher.example"),
            canonical("ada@xn--bcher-kva.example")
        );
    }

    #[test]
    fn different_people_stay_different() {
        assert_ne!(canonical("ada@example.com"), canonical("adá@example.com"));
        assert_ne!(canonical("ada@example.com"), canonical("ada+x@example.com"));
        assert_ne!(
            canonical("ada@example.com"),
            canonical("аda@example.com"),
            "a Cyrillic a"
        );
    }

    #[test]
    fn what_is_given_is_kept() {
        assert_eq!(
            Email::parse("Ada@Example.COM").unwrap().as_given(),
            "Ada@Example.COM"
        );
    }

    #[test]
    fn an_envelope_keeps_the_case_and_has_the_domain_that_mail_knows() {
        for (given, wanted) in [
            ("Ada@Example.COM", "Ada@example.com"),
            ("Ａda＠example.com", "Ada@example.com"),
            ("ada@Bücher.example", "ada@xn--bcher-kva.example"),
        ] {
            assert_eq!(Email::parse(given).unwrap().to_deliver(), wanted);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "@",
            "a",
            "a@",
            "@b.c",
            "a@b",
            "a@localhost",
            "a b@c.de",
            " a@b.de",
            "a@b.de ",
            "a@b.de\0",
            "a\n@b.de",
            "\"a b\"@c.de",
            "Ada <a@b.de>",
            "a@[127.0.0.1]",
            "a@b@c.de",
            "a\u{FF20}b@c.de",
            "a@b\u{3002}",
            "a\u{202E}@b.de",
            "a\u{200B}@b.de",
            "a..b@c.de",
            ".a@b.de",
            "a@-b.de",
            "a@b..de",
            &format!("{}@b.de", "a".repeat(250)),
        ] {
            assert_eq!(Email::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own(text in "\\PC{1,12}@[a-zA-Zü]{1,8}\\.(com|Example)") {
            if let Ok(email) = Email::parse(&text) {
                let again = Email::parse(email.canonical().as_str()).unwrap();
                prop_assert_eq!(again.canonical(), email.canonical());
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = Email::parse(&text);
        }
    }
}
