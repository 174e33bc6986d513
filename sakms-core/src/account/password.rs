//! Which passwords are good enough to sign up with.
//!
//! The rules are those of NIST SP 800-63B-4, section 3.1.1.2: long enough, not one that an attacker tries first,
//! and nothing else. There are no rules of composition (a digit, a capital, a sign): they make passwords harder to
//! remember and no harder to guess. Whoever is refused is told why.
//!
//! A password is used exactly as it was received: nothing is trimmed, cut off or normalised, neither here nor when
//! it is hashed. So every character counts, as it should (OWASP ASVS 5.0, 6.2.8), and another program can check the
//! same hash without knowing what was done to the text. The price is that a keyboard which writes `é` as two code
//! points makes another password than one which writes it as one. NIST would have both normalised; of the two
//! standards this is the stricter reading, and the one that cannot make two passwords equal.
//!
//! ```
//! # use sakms_core::account::{Email, PasswordPolicy, WeakPassword};
//! # use sakms_core::secret::Password;
//! let policy = PasswordPolicy::default();
//! let email = Email::parse("ada@example.com").unwrap();
//! let check = |text: &str| policy.check(&Password::new(text.into()), &email);
//! assert_eq!(check("violet tram kettle oak"), Ok(()));
//! assert_eq!(check("correct horse battery staple"), Err(WeakPassword::Common));
//! assert_eq!(check("Tr0ub4dor&3"), Err(WeakPassword::TooShort { min: 15 }));
//! ```

mod cover;
mod keyboard;
mod list;

use std::collections::BTreeSet;
use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use self::cover::{Cover, cheapest_cover};
use super::Email;
use crate::secret::Password;

impl Password {
    /// The longest password in bytes. Anything longer should be refused before it is hashed, also at a sign-in.
    pub const MAX_BYTES: usize = 1024;
}

/// What a new password must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordPolicy {
    min_chars: usize,
    names: Vec<String>,
}

impl PasswordPolicy {
    /// The least that [`PasswordPolicy::with_min_chars`] can set: what NIST asks for beside a second factor.
    pub const FLOOR: usize = 8;
    /// The most that it can set.
    pub const CEILING: usize = 128;

    /// How many characters a password must have; 15 by default, which is what NIST asks for where a password is all
    /// there is. Fewer than 8 become 8, more than 128 become 128. A character is a Unicode code point.
    #[must_use]
    pub fn with_min_chars(mut self, chars: usize) -> Self {
        self.min_chars = chars.clamp(Self::FLOOR, Self::CEILING);
        self
    }

    /// How many characters a password must have.
    #[must_use]
    pub const fn min_chars(&self) -> usize {
        self.min_chars
    }

    /// Another name the service goes by: like `sakms`, it adds nothing to a password. Fewer than 3 characters are
    /// no name.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.names.push(fold(name).to_string());
        self
    }

    /// Whether a new password will do. It takes at most a few milliseconds, whatever it is given.
    ///
    /// # Errors
    /// [`WeakPassword`], the first reason against it.
    pub fn check(&self, password: &Password, email: &Email) -> Result<(), WeakPassword> {
        let text = password.expose();
        if text.len() > Password::MAX_BYTES {
            return Err(WeakPassword::TooLong {
                max: Password::MAX_BYTES,
            });
        }
        if text.chars().count() < self.min_chars {
            return Err(WeakPassword::TooShort {
                min: self.min_chars,
            });
        }
        // Only what is compared is folded; what is hashed is the text.
        let folded = fold(text);
        let plain = squeeze(&folded);
        if list::holds(&folded) || list::holds(&plain) {
            return Err(WeakPassword::Common);
        }
        let letters = Zeroizing::new(folded.chars().take(Password::MAX_BYTES).collect::<Vec<_>>());
        // As it was received, too: one character may fold to many that differ.
        let given = Zeroizing::new(text.chars().collect::<Vec<_>>());
        if self.is_repetitive(&letters) || self.is_repetitive(&given) {
            return Err(WeakPassword::Repetitive);
        }
        match cheapest_cover(&letters, &self.names_around(email)) {
            Cover::Strong => Ok(()),
            Cover::Weak { with_name: true } => Err(WeakPassword::LikeEmail),
            Cover::Weak { with_name: false } => Err(WeakPassword::Predictable),
        }
    }

    /// A few characters only, or a shorter text over and over that would not do by itself.
    fn is_repetitive(&self, letters: &[char]) -> bool {
        let different: BTreeSet<_> = letters.iter().collect();
        let longest = (letters.len() / 2).min(self.min_chars - 1);
        let repeats = |period: usize| letters[period..] == letters[..letters.len() - period];
        different.len() <= 3 || (1..=longest).any(repeats)
    }

    /// What an attacker who knows whose password it is tries first.
    fn names_around(&self, email: &Email) -> Vec<Zeroizing<Vec<char>>> {
        let address = fold(email.canonical().as_str());
        let given = fold(email.as_given());
        let (local, domain) = address.split_once('@').unwrap_or((&address, ""));
        let parts = local.split(|c: char| !c.is_alphanumeric());
        let name = Zeroizing::new(squeeze(local).to_string());
        let spelled = [&*address, &*given, local, &name, domain];
        let known = self.names.iter().map(String::as_str);
        spelled
            .into_iter()
            .chain(parts)
            .chain(domain.split('.'))
            .chain(known)
            .map(|name| Zeroizing::new(name.chars().collect::<Vec<_>>()))
            .filter(|name| name.len() >= 3)
            .collect()
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min_chars: 15,
            names: vec!["sakms".to_owned()],
        }
    }
}

/// The form in which texts are compared: spellings that look alike to an attacker's program become one.
fn fold(text: &str) -> Zeroizing<String> {
    let folded = text.nfkc().flat_map(char::to_lowercase);
    Zeroizing::new(folded.collect())
}

/// Only the letters and digits.
fn squeeze(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.chars().filter(|c| c.is_alphanumeric()).collect())
}

/// Why a password will not do. It holds no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeakPassword {
    /// Too few characters.
    TooShort {
        /// The fewest there may be, in code points.
        min: usize,
    },
    /// Too many bytes.
    TooLong {
        /// The most there may be, in bytes of UTF-8.
        max: usize,
    },
    /// One of those that everybody tries first.
    Common,
    /// The same few characters again and again.
    Repetitive,
    /// Little more than well-known words, numbers in order and keys side by side.
    Predictable,
    /// Little more than the e-mail address or the service's name.
    LikeEmail,
}

impl fmt::Display for WeakPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { min } => write!(
                f,
                "The password is too short: use at least {min} characters, for example four unrelated words."
            ),
            Self::TooLong { max } => {
                write!(f, "The password is too long: use at most {max} bytes.")
            }
            Self::Common => f.write_str(
                "The password is one of those that are tried first: choose one that nobody else has.",
            ),
            Self::Repetitive => f.write_str(
                "The password repeats the same few characters: use more that differ, or four unrelated words.",
            ),
            Self::Predictable => f.write_str(
                "The password is easy to guess, being made of well-known words, counting or neighbouring keys: \
                 add unrelated words.",
            ),
            Self::LikeEmail => f.write_str(
                "The password is little more than the e-mail address or the name of this service: \
                 use unrelated words.",
            ),
        }
    }
}

impl std::error::Error for WeakPassword {}

#[cfg(test)]
mod tests;
