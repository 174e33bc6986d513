//! Rules of this workspace that no lint knows: how long a file may be, what
//! core may depend on, and what an adapter must leave to core.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Attempt, Failure, Outcome};
use crate::report::say;
use crate::run::capture;
use crate::workspace::cargo;

/// A file longer than this has more than one subject.
const LONG: usize = 400;
const TOO_LONG: usize = 600;

/// Files of code, as opposed to data and prose.
const CODE: [&str; 2] = ["rs", "sql"];

/// Names that say nothing, and so collect everything.
const EMPTY_NAMES: [&str; 3] = ["utils.rs", "helpers.rs", "common.rs"];

/// Core serves every framework, so it may depend on none.
const FRAMEWORKS: [&str; 3] = ["axum", "actix-web", "tower"];

/// Adapters convert between a framework and core. What is answered where is
/// decided once, in core.
const ADAPTERS: [&str; 2] = ["sakms-axum/src", "sakms-actix/src"];
const ADAPTER_LINES: usize = 450;
const CORE_MATTERS: [(&str, &str); 3] = [
    ("StatusCode::", "a status code"),
    ("\"/keys", "a path"),
    ("\"/auth", "a path"),
];

/// Checks the source files.
pub(crate) fn sources(root: &Path) -> Outcome {
    let mut findings = Vec::new();
    for path in code_files(root)? {
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let lines = read(&path)?.lines().count();
        if lines > TOO_LONG {
            findings.push(format!(
                "{name}: {lines} lines, at most {TOO_LONG} are allowed"
            ));
        } else if lines > LONG {
            say(&format!(
                "    warning: {name}: {lines} lines, more than {LONG}"
            ));
        }
        if has_empty_name(&path) {
            findings.push(format!("{name}: name the file after what it does"));
        }
    }
    for adapter in ADAPTERS {
        let mut total = 0;
        for path in code_files(&root.join(adapter))? {
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .display()
                .to_string();
            let text = read(&path)?;
            total += code_lines(&text).count();
            findings.extend(core_matters(&text).map(|(line, what)| {
                format!("{name}:{line}: {what}, which is for sakms-core to know")
            }));
        }
        if total > ADAPTER_LINES {
            findings.push(format!(
                "{adapter}: {total} lines of code, at most {ADAPTER_LINES} are allowed"
            ));
        }
    }
    verdict(&findings)
}

/// Checks what the crates depend on.
pub(crate) fn dependencies() -> Outcome {
    let core = tree("-p sakms-core -e normal")?;
    let everything = tree("--workspace -e all")?;
    let mut findings = Vec::new();
    for name in FRAMEWORKS {
        if depends_on(&core, name) {
            findings.push(format!("sakms-core depends on {name}"));
        }
    }
    if depends_on(&everything, "rsa") {
        findings.push("something depends on rsa, which leaks keys through timing".to_owned());
    }
    verdict(&findings)
}

fn verdict(findings: &[String]) -> Outcome {
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::new(findings.join("\n    ")))
}

/// The dependency tree, one `name vVERSION` a line.
fn tree(selection: &str) -> Outcome<String> {
    capture(&mut cargo(&format!(
        "tree --locked --all-features --target all --prefix none --format {{p}} {selection}"
    )))
}

fn depends_on(tree: &str, name: &str) -> bool {
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .any(|found| found == name)
}

fn has_empty_name(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| EMPTY_NAMES.iter().any(|empty| name == *empty))
}

/// The numbered lines of a file that are code of the adapter itself: no tests,
/// which come last in a file, no comments, no blank lines.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .zip(1..)
        .map(|(line, number)| (number, line))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
}

/// What an adapter says that is not its business.
fn core_matters(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    code_lines(text).flat_map(|(number, line)| {
        CORE_MATTERS
            .iter()
            .filter(move |(sign, _)| line.contains(sign))
            .map(move |(_, what)| (number, *what))
    })
}

/// The files of code below a folder, without what builds left there.
fn code_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = || format!("cannot read {}", folder.display());
        for entry in fs::read_dir(&folder).attempt(unreadable)? {
            let entry = entry.attempt(unreadable)?;
            let path = entry.path();
            let name = entry.file_name();
            let kind = entry.file_type().attempt(unreadable)?;
            if kind.is_dir() {
                if name != "target" && !name.to_string_lossy().starts_with('.') {
                    folders.push(path);
                }
            } else if CODE
                .iter()
                .any(|code| path.extension().is_some_and(|found| found == *code))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).attempt(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace with an adapter and the given files.
    fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let adapters = ADAPTERS.map(|adapter| format!("{adapter}/lib.rs"));
        let empty = adapters.iter().map(|name| (name.as_str(), ""));
        for (name, text) in empty.chain(files.iter().copied()) {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn findings(files: &[(&str, &str)]) -> String {
        let root = workspace(files);
        sources(root.path()).map_or_else(|failure| failure.to_string(), |()| String::new())
    }

    #[test]
    fn long_files_are_found_and_what_builds_leave_is_not() {
        let (long, too_long) = ("//\n".repeat(LONG + 1), "//\n".repeat(TOO_LONG + 1));
        assert_eq!(findings(&[("core/src/a.rs", &long)]), "");
        assert_eq!(
            findings(&[("target/a.rs", &too_long), (".git/a.rs", &too_long)]),
            ""
        );
        assert_eq!(findings(&[("core/assets/a.js", &too_long)]), "");
        let found = findings(&[("core/src/a.rs", &too_long)]);
        assert!(found.contains("a.rs: 601 lines"), "{found}");
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        assert!(findings(&[("core/src/utils.rs", "")]).contains("utils.rs"));
        assert_eq!(findings(&[("core/src/common_name.rs", "")]), "");
    }

    #[test]
    fn an_adapter_leaves_answers_to_core() {
        let text = "//! StatusCode::OK\nfn a() {\n    answer(StatusCode::OK)\n}\n";
        for adapter in ADAPTERS {
            let found = findings(&[(&format!("{adapter}/a.rs"), text)]);
            assert!(found.contains("a.rs:3: a status code"), "{found}");
        }
        assert_eq!(findings(&[("sakms-core/src/a.rs", text)]), "");

        let found = findings(&[("sakms-axum/src/a.rs", "route(\"/keys/{id}\")")]);
        assert!(found.contains("a.rs:1: a path"), "{found}");

        let tests = "fn a() {}\n#[cfg(test)]\nmod tests { /* \"/auth/login\" StatusCode::OK */ }\n";
        assert_eq!(findings(&[("sakms-axum/src/a.rs", tests)]), "");
    }

    #[test]
    fn an_adapter_is_small_over_all_its_files() {
        let half = format!(
            "{}// a comment\n\n",
            "fn a() {}\n".repeat(ADAPTER_LINES / 2)
        );
        let files = [
            ("sakms-axum/src/a.rs", half.as_str()),
            ("sakms-axum/src/b.rs", &half),
        ];
        assert_eq!(findings(&files), "");
        let more = [files[0], files[1], ("sakms-axum/src/c.rs", "fn c() {}\n")];
        assert!(findings(&more).contains("451 lines of code"));
    }

    #[test]
    fn dependencies_are_known_by_their_whole_name() {
        let tree = "sakms-core v0.1.0 (folder)\ntower-layer v0.3.3\nrsa v0.9.8 (*)\n";
        assert!(depends_on(tree, "rsa"));
        assert!(!depends_on(tree, "tower"));
    }
}
