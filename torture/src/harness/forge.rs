//! Texts that look like keys.

use sakms_core::id::SecretId;
use sakms_core::key::{Environment, KeyFormat, MasterKeys};
use sakms_core::secret::KeySecret;

use super::server::MASTER_KEY;

/// Makes texts that no store knows.
#[derive(Debug)]
pub struct Forge {
    format: KeyFormat,
    random: fastrand::Rng,
}

impl Forge {
    /// A forge that has the servers' master key.
    #[must_use]
    pub fn new(random: fastrand::Rng) -> Self {
        let keys: MasterKeys = MASTER_KEY.parse().unwrap();
        let format = KeyFormat::new("sakms".parse().unwrap(), vec![Environment::live()], &keys);
        Self {
            format: format.unwrap(),
            random,
        }
    }

    /// A text with a right tag, of a secret that nobody has stored.
    #[must_use]
    pub fn genuine(&mut self) -> String {
        let id = SecretId::from_bytes(self.random.u128(..).to_be_bytes());
        let mut secret = [0; 32];
        self.random.fill(&mut secret);
        let made = self
            .format
            .mint(&Environment::live(), id, &KeySecret::new(secret));
        made.unwrap().text.expose().to_owned()
    }

    /// A text that this service has not made: one in four is no key by its shape, the others have a character changed.
    #[must_use]
    pub fn forged(&mut self) -> String {
        let mut text = self.genuine();
        if self.random.u8(..4) == 0 {
            text.truncate(self.random.usize(1..text.len()));
            return text;
        }
        let place = self.random.usize(text.len() - 76..text.len());
        let other = if text.as_bytes()[place] == b'a' {
            "b"
        } else {
            "a"
        };
        text.replace_range(place..=place, other);
        text
    }
}
