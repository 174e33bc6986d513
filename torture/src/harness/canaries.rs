//! Secrets that must not be seen where they do not belong.

/// How many of these secrets stand in a log.
#[must_use]
pub fn seen<'a>(log: &str, secrets: impl IntoIterator<Item = &'a str>) -> u64 {
    let seen = secrets.into_iter().filter(|secret| log.contains(*secret));
    u64::try_from(seen.count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_middle_of_a_line_is_seen() {
        let secrets = ["hush", "quiet"];
        assert_eq!(seen("a line\nthat says hush, loudly", secrets), 1);
        assert_eq!(seen("", secrets), 0);
    }
}
