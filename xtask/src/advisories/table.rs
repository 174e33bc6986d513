//! The table: its form is said at its top.

/// Entries that have something in common.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) title: String,
    pub(super) entries: Vec<Entry>,
}

/// What was published, and what is held against it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) number: u32,
    pub(super) published: String,
    pub(super) rule: String,
    pub(super) tests: Vec<Test>,
    pub(super) note: Option<String>,
}

/// A test, or a case of a suite.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// The file, from the workspace's root on.
    pub(super) file: String,
    pub(super) name: String,
}

/// Reads the table.
///
/// # Errors
/// The line that is not of the form, and its number.
pub(super) fn read(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        read_line(&mut parts, line)
            .ok_or_else(|| format!("table.txt:{number}: what is this? {line}"))?;
    }
    Ok(parts)
}

fn read_line(parts: &mut Vec<Part>, line: &str) -> Option<()> {
    let (word, rest) = line.split_once(' ')?;
    if word == "=" {
        parts.push(Part {
            title: rest.to_owned(),
            entries: Vec::new(),
        });
        return Some(());
    }
    let entries = &mut parts.last_mut()?.entries;
    if let Some(number) = word.strip_prefix('T') {
        entries.push(Entry {
            number: number.parse().ok()?,
            published: rest.to_owned(),
            ..Entry::default()
        });
        return Some(());
    }
    let entry = entries.last_mut()?;
    match word {
        "rule" if entry.rule.is_empty() => rest.clone_into(&mut entry.rule),
        "note" if entry.note.is_none() => entry.note = Some(rest.to_owned()),
        "test" => {
            let (file, name) = rest.split_once(' ')?;
            entry.tests.push(Test {
                file: file.to_owned(),
                name: name.to_owned(),
            });
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_the_form_is_said() {
        for (text, line) in [
            ("rule x", 1),
            ("= a\nrule x", 2),
            ("= a\nTx b", 2),
            ("= a\nT1 b\nwhat c", 3),
            ("= a\nT1 b\nrule c\n\nrule d", 5),
            ("= a\nT1 b\ntest c", 3),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(&format!("table.txt:{line}: ")), "{error}");
        }
    }
}
