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
    /// What stands between the marks of the page.
    pub(crate) fn read(&self, page: &Path) -> Outcome<String> {
        let text = read(page)?;
        let found = self.split(&text).map(|(_, found, _)| found.to_owned());
        found.ok_or_else(|| self.missing(page))
    }

    /// Writes `text` between the marks of the page, and leaves everything else as it is.
    pub(crate) fn write(&self, page: &Path, text: &str) -> Outcome {
        let new = self.fill(&read(page)?, text);
        let new = new.ok_or_else(|| self.missing(page))?;
        fs::write(page, new).attempt(|| format!("cannot write {}", page.display()))
    }

    fn fill(&self, page: &str, text: &str) -> Option<String> {
        let Self { begin, end } = self;
        let (before, _, after) = self.split(page)?;
        Some(format!("{before}{begin}\n\n{text}\n{end}{after}"))
    }

    /// What stands before the marks, between and after them.
    fn split<'page>(&self, page: &'page str) -> Option<(&'page str, &'page str, &'page str)> {
        let (before, rest) = page.split_once(self.begin)?;
        let (between, after) = rest.split_once(self.end)?;
        Some((before, between, after))
    }

    fn missing(&self, page: &Path) -> Failure {
        let Self { begin, end } = self;
        Failure::new(format!(
            "{} needs the lines {begin} and {end}",
            page.display()
        ))
    }
}

fn read(page: &Path) -> Outcome<String> {
    fs::read_to_string(page).attempt(|| format!("cannot read {}", page.display()))
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
