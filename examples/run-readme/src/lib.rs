//! Runs the commands of a README and holds what they answer against what it says.
//!
//! In every block marked `console`, a line that begins with `$ ` is a command, and what follows is its answer. Known are
//! `curl` with the options `-s -i -X -H -d -b -c`, a variable that is set (`KEY=…`, `export KEY=…`), and the packages that
//! the test names.
//! No shell and no `curl` is needed, so that it runs, and can fail, wherever tests do.
//!
//! JSON is compared as JSON, other text word by word. Ids, times and keys are different on every run: the first time one
//! is met in the README it stands for what was really answered in its place, and from then on for nothing else. `…` at
//! the end of a text, an object or a list leaves the rest of it out, and so does a line of `…` alone.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "for tests, which report by panicking"
)]

mod curl;
mod like;
mod program;
mod words;

use std::collections::BTreeMap;
use std::fmt;

pub use curl::{Answer, request};
pub use program::Program;

use curl::Curl;
use like::Likeness;
use words::{Variables, words};

/// What a program prints, by its arguments and the variables that were exported.
type Run<'a> = Box<dyn FnMut(&[String], &BTreeMap<String, String>) -> String + 'a>;

/// Somebody who types what a README says.
#[derive(Default)]
pub struct Reader<'a> {
    variables: Variables,
    exported: Variables,
    likeness: Likeness,
    curl: Curl,
    programs: BTreeMap<String, Run<'a>>,
}

impl<'a> Reader<'a> {
    /// Somebody who knows no program but `curl`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests to `written` (`localhost:3000`) go to this address.
    #[must_use]
    pub fn host(mut self, written: &str, address: std::net::SocketAddr) -> Self {
        self.curl.hosts.insert(written.to_owned(), address);
        self
    }

    /// What `cargo run -p package -- …` does: it is given what stands behind `--` and the variables that were exported, and
    /// gives what is printed.
    #[must_use]
    pub fn package(
        mut self,
        package: &str,
        run: impl FnMut(&[String], &BTreeMap<String, String>) -> String + 'a,
    ) -> Self {
        self.programs.insert(package.to_owned(), Box::new(run));
        self
    }

    /// Does everything that the README says; gives how many commands that were.
    ///
    /// # Panics
    /// When something is answered that the README does not say: that is the report.
    pub fn follow(&mut self, readme: &str) -> usize {
        let steps = steps(readme);
        for step in &steps {
            println!("$ {}", step.command);
            let Some(answer) = self.run(&step.command) else {
                continue;
            };
            println!("{}", shortened(&answer));
            if let Err(why) = self.likeness.text(&step.answer, &answer) {
                panic!(
                    "$ {}\nsays  {}\nnot   {}\n{why}",
                    step.command,
                    step.answer,
                    shortened(&answer)
                );
            }
        }
        steps.len()
    }

    /// What a command prints, if it is one that prints.
    fn run(&mut self, command: &str) -> Option<String> {
        let mut words = words(command, &self.variables);
        if let [export, set] = &words[..]
            && export == "export"
            && let Some((name, value)) = assignment(set)
        {
            self.exported.insert(name.clone(), value.clone());
            self.variables.insert(name, value);
            return None;
        }
        while let Some((name, value)) = words.first().and_then(|word| assignment(word)) {
            if words.len() == 1 {
                let value = self.likeness.really(&value);
                self.variables.insert(name, value);
                return None;
            }
            words.remove(0);
        }
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["curl", ref arguments @ ..] => Some(self.curl.run(arguments)),
            ["cargo", "run", ref arguments @ ..] => Some(self.package_run(arguments)),
            _ => panic!("a command that nobody here knows: {command}"),
        }
    }

    fn package_run(&mut self, arguments: &[&str]) -> String {
        let (own, given) = match arguments.iter().position(|argument| *argument == "--") {
            Some(place) => (&arguments[..place], &arguments[place + 1..]),
            None => (arguments, &[][..]),
        };
        let package = own.iter().skip_while(|argument| **argument != "-p").nth(1);
        let run = package.and_then(|package| self.programs.get_mut(*package));
        let Some(run) = run else {
            panic!("not a package of this README: {own:?}");
        };
        let given: Vec<_> = given.iter().map(ToString::to_string).collect();
        run(&given, &self.exported)
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("variables", &self.variables)
            .finish_non_exhaustive()
    }
}

/// As much of an answer as somebody reads who looks for a mistake.
fn shortened(answer: &str) -> String {
    match answer.char_indices().nth(2000) {
        Some((end, _)) => format!("{}… and so on", &answer[..end]),
        None => answer.to_owned(),
    }
}

/// `NAME=value`.
fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    is_name(name).then(|| (name.to_owned(), value.to_owned()))
}

/// A command and what it is said to print.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    command: String,
    answer: String,
}

fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut in_block, mut continued) = (false, false);
    for line in readme.lines() {
        if line.starts_with("```") {
            in_block = !in_block && line.trim_end() == "```console";
            continued = false;
            continue;
        }
        if !in_block {
            continue;
        }
        let last = steps.last_mut();
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.to_owned(),
                answer: String::new(),
            });
        } else if let Some(step) = last.filter(|_| continued) {
            step.command = format!(
                "{} {}",
                step.command.trim_end_matches('\\'),
                line.trim_start()
            );
        } else if let Some(step) = steps.last_mut() {
            step.answer.extend([line, "\n"]);
            continue;
        }
        continued = line.ends_with('\\');
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# A\n\n```console\n$ A='b c'\n$ say \"$A\" \\\n    more\nb c more\n\n$ say nothing\n```\n\n\
        ```rust\n$ no\n```\n";

    #[test]
    fn commands_and_answers_are_told_apart() {
        let step = |command: &str, answer: &str| Step {
            command: command.to_owned(),
            answer: answer.to_owned(),
        };
        assert_eq!(
            steps(README),
            [
                step("A='b c'", ""),
                step("say \"$A\"  more", "b c more\n\n"),
                step("say nothing", "")
            ]
        );
    }

    fn follow(readme: &str, says: &'static str) -> usize {
        let mut reader =
            Reader::new().package("p", |arguments, _| format!("{says}{}", arguments.concat()));
        reader.follow(&format!("```console\n{readme}\n```"))
    }

    #[test]
    fn what_is_true_passes() {
        let id = "01a2055b-1b86-7380-8b1a-f478c46879fd";
        let says = r#"{"id":"01a2055b-1b86-7380-8b1a-000000000000"}"#;
        assert_eq!(follow("$ cargo run -p p -- x\nax", "a"), 1);
        let readme = format!(
            "$ cargo run -p p\n{{\"id\":\"{id}\"}}\n$ ID=01a2055b-…\n$ B=\"$ID\" cargo run --release -p p\n…"
        );
        assert_eq!(follow(&readme, says), 3);
    }

    #[test]
    fn programs_know_what_is_exported_and_nothing_else() {
        let readme = "```console\n$ A=1\n$ export B=2\n$ cargo run -p p\n2\n$ cargo run -p p -- $A$B\n122\n```";
        let mut reader = Reader::new().package("p", |arguments, exported| {
            arguments.concat() + &exported.values().cloned().collect::<String>()
        });
        assert_eq!(reader.follow(readme), 4);
    }

    #[test]
    #[should_panic(expected = "not   b")]
    fn what_is_false_fails() {
        follow("$ cargo run -p p\na", "b");
    }

    #[test]
    #[should_panic(expected = "not   b")]
    fn what_is_not_said_fails() {
        follow("$ cargo run -p p", "b");
    }

    #[test]
    #[should_panic(expected = "nobody here knows")]
    fn a_command_that_is_not_known_fails() {
        follow("$ rm -r x", "");
    }

    #[test]
    #[should_panic(expected = "not a package of this README")]
    fn another_package_fails() {
        follow("$ cargo run -p q", "");
    }

    #[test]
    #[should_panic(expected = "answered before")]
    fn a_variable_that_is_set_to_what_was_not_answered_fails() {
        follow("$ ID=01a2055b-…", "");
    }
}
