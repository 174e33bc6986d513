//! Whether there is a test of a name in a file.

use std::fs;
use std::path::Path;

use crate::failure::{Attempt, Outcome};

/// The suites: cases in files of the folder are tests when its `mod.rs` names them.
const SUITES: [&str; 2] = [
    "sakms-core/src/testkit/http",
    "sakms-core/src/testkit/store",
];

/// Whether the file has a test of this name, or a case that its suite runs.
pub(super) fn has_test(root: &Path, file: &str, name: &str) -> Outcome<bool> {
    let path = root.join(file);
    if !path.is_file() {
        return Ok(false);
    }
    let text = read(&path)?;
    if is_marked(&text, name) {
        return Ok(true);
    }
    let module = path.file_stem().map(|stem| stem.to_string_lossy());
    let (Some(module), Some(suite)) = (
        module,
        SUITES.iter().find(|suite| file.starts_with(**suite)),
    ) else {
        return Ok(is_called(&text, name));
    };
    let listed = format!("{module}::{name}");
    let list = read(&root.join(suite).join("mod.rs"))?;
    let is_listed = list.lines().any(|line| line.trim() == listed);
    Ok(is_listed && text.contains(&format!("pub async fn {name}(")))
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).attempt(|| format!("cannot read {}", path.display()))
}

/// Whether a function is marked as a test.
fn is_marked(text: &str, name: &str) -> bool {
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else if is_definition(line, name) {
            return marked;
        } else if !line.starts_with("//") {
            marked = false;
        }
    }
    false
}

/// Whether a function is defined here, and called by the tests of its file.
fn is_called(text: &str, name: &str) -> bool {
    let lines = || text.lines().map(str::trim);
    let words = |line: &str| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.any(|word| word == name)
    };
    lines().any(|line| is_definition(line, name))
        && lines().any(|line| !is_definition(line, name) && !line.starts_with("//") && words(line))
}

fn is_definition(line: &str, name: &str) -> bool {
    let rest = line.strip_prefix("pub ").unwrap_or(line);
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    let rest = rest
        .strip_prefix("fn ")
        .and_then(|rest| rest.strip_prefix(name));
    rest.is_some_and(|rest| rest.starts_with('('))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_marked_as_one() {
        let text = "#[test]\nfn a() {}\n#[tokio::test(flavor = \"x\")]\n/// So.\nasync fn b() {}\nfn c() {}\n";
        assert!(is_marked(text, "a") && is_marked(text, "b"));
        assert!(!is_marked(text, "c") && !is_marked(text, "d"));
    }

    #[test]
    fn what_a_test_calls_is_a_part_of_it() {
        let text = "fn a(site: &Site) {}\nfn b() {}\n// b\nrun(&[a, bb]);\n";
        assert!(is_called(text, "a"));
        assert!(!is_called(text, "b") && !is_called(text, "bb"));
    }

    #[test]
    fn a_case_is_a_test_when_its_suite_names_it() {
        let root = tempfile::tempdir().unwrap();
        let suite = root.path().join(SUITES[0]);
        fs::create_dir_all(&suite).unwrap();
        fs::write(suite.join("mod.rs"), "pub mod a;\n    a::one\n").unwrap();
        let cases = "pub async fn one(stage: &Stage) {}\npub async fn two(stage: &Stage) {}\n";
        fs::write(suite.join("a.rs"), cases).unwrap();
        let file = format!("{}/a.rs", SUITES[0]);
        for (file, name, there) in [
            (file.as_str(), "one", true),
            (&file, "two", false),
            (&file, "three", false),
            ("nothing.rs", "one", false),
        ] {
            assert_eq!(has_test(root.path(), file, name).unwrap(), there, "{name}");
        }
    }
}
