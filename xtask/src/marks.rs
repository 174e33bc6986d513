//! Pages of which a program writes a part, between two marks.

use std::fs;
use std::path::Path;

use crate::failure::{Attempt, Failure, Outcome};

/// The part of a page that a program writes.
#[derive(Debug)]
pub(crate) struct Marks {
    /// The line before it.
    pub(crate) begin: &'static str,
    /// The line after it.
    pub(crate) end: &'static str,
}

impl Marks {
    /// Writes `text` between the marks of the page, and leaves everything else as it is.
    pub(crate) fn write(&self, page: &Path, text: &str) -> Outcome {
        let old = fs::read_to_string(page).attempt(|| format!("cannot read {}", page.display()))?;
        let new = self.fill(&old, text).ok_or_else(|| {
            let Self { begin, end } = self;
            Failure::new(format!(
                "{} needs the lines {begin} and {end}",
                page.display()
            ))
        })?;
        fs::write(page, new).attempt(|| format!("cannot write {}", page.display()))
    }

    fn fill(&self, page: &str, text: &str) -> Option<String> {
        let Self { begin, end } = self;
        let (before, rest) = page.split_once(begin)?;
        let (_, after) = rest.split_once(end)?;
        Some(format!("{before}{begin}\n\n{text}\n{end}{after}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_the_marks_stays() {
        let marks = Marks {
            begin: "<!-- a -->",
            end: "<!-- /a -->",
        };
        let page = "before\n<!-- a -->\nold\n<!-- /a -->\nafter\n";
        let new = marks.fill(page, "new").unwrap();
        assert_eq!(new, "before\n<!-- a -->\n\nnew\n<!-- /a -->\nafter\n");
        assert_eq!(marks.fill(&new, "new").unwrap(), new);
        assert_eq!(marks.fill("no marks", "new"), None);
    }
}
