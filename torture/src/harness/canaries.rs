//! Secrets that a scenario knows, looked for where none may be.

/// The texts that must not be in any log.
#[derive(Debug, Default, Clone)]
pub struct Canaries(Vec<String>);

/// What follows the secret in a key's text.
const TAG: usize = 11;
/// How long the secret is.
const SECRET: usize = 43;

impl Canaries {
    /// A password, a token, a secret of the server.
    pub fn add(&mut self, secret: impl Into<String>) {
        self.0.push(secret.into());
    }

    /// The secret part of a key's text: what a log may show of it is the head.
    pub fn add_key(&mut self, text: &str) {
        let from = text.len().saturating_sub(TAG + SECRET);
        let to = text.len().saturating_sub(TAG);
        self.add(&text[from..to]);
    }

    /// How many of them are in a log.
    #[must_use]
    pub fn count_in(&self, log: &str) -> u64 {
        self.0.iter().filter(|secret| log.contains(*secret)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_secret_and_not_by_its_head() {
        let (id, secret, tag) = ("0".repeat(22), "s".repeat(43), "t".repeat(11));
        let mut canaries = Canaries::default();
        canaries.add_key(&format!("sakms_live_{id}{secret}{tag}"));
        canaries.add("tell-nobody");
        assert_eq!(canaries.count_in("sakms_live_000000"), 0);
        assert_eq!(canaries.count_in(&format!("x{secret}y tell-nobody")), 2);
    }
}
