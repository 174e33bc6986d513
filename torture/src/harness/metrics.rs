//! The figures that a server publishes for Prometheus.

use super::server::Server;

/// What `/metrics` said once.
#[derive(Debug)]
pub struct Metrics(String);

impl Metrics {
    /// As they are now.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        let page = server.send("GET", "/metrics", &[], "");
        assert_eq!(page.status, 200, "{}", page.body);
        Self(page.body)
    }

    /// The sum of the figures of this name whose labels hold one of these words; of all, when no word is given.
    #[must_use]
    pub fn sum(&self, name: &str, words: &[&str]) -> u64 {
        let lines = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            let named = labels.is_empty() || labels.starts_with('{');
            let meant = words.is_empty() || words.iter().any(|word| labels.contains(word));
            (named && meant).then(|| value.parse::<f64>().ok())?
        });
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of what happened while a program ran"
        )]
        let sum = lines.sum::<f64>() as u64;
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_summed_by_name_and_label() {
        let page = "# TYPE a counter\na{x=\"1\"} 2\na{x=\"2\"} 3\na_b{x=\"1\"} 7\nc 4\n";
        let metrics = Metrics(page.to_owned());
        assert_eq!(metrics.sum("a", &[]), 5);
        assert_eq!(metrics.sum("a", &["\"2\"", "\"9\""]), 3);
        assert_eq!(metrics.sum("c", &[]), 4);
    }
}
