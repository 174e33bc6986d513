//! Builds that only somebody else's choice of features brings about.
//!
//! Features add, so each choice has to build. Checked are none of them, each alone, all but each, and all: so each two are
//! seen both on, both off, and either without the other. What those leave to be found takes three features at once; checking
//! every subset would take eight times as long.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;

use crate::failure::{Failure, Outcome};
use crate::metadata::{self, Package};
use crate::report::say;
use crate::run::run;
use crate::workspace::{cargo, target};

/// A choice of features, with all that they turn on.
type Choice = BTreeSet<String>;

/// Where the second lane builds: two cargos on one folder would wait for each other.
const SECOND_LANE: &str = "features";

/// Checks each published crate under every choice, with warnings denied: code that nothing uses is a mistake too.
///
/// In two lanes. Most of a choice's time goes into one crate, and a compiler has one thread for that.
pub(crate) fn check() -> Outcome {
    let packages = metadata::published()?;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for package in &packages {
        let choices = choices(package);
        say(&format!("    {}: {} choices", package.name, choices.len()));
        // The crate that the others are made of has about as many choices as they have together.
        let lane = if passes_on(package) {
            &mut second
        } else {
            &mut first
        };
        lane.extend(choices.into_iter().map(|choice| (&*package.name, choice)));
    }
    thread::scope(|scope| {
        let beside = scope.spawn(|| lane(&second, &target().join(SECOND_LANE)));
        lane(&first, &target()).and(
            beside
                .join()
                .unwrap_or_else(|_| Err(Failure::new("a lane of checks ended in a panic"))),
        )
    })
}

fn lane(choices: &[(&str, Choice)], folder: &Path) -> Outcome {
    for (name, choice) in choices {
        let features: Vec<_> = choice.iter().map(String::as_str).collect();
        let features = features.join(",");
        let lint = "clippy --locked --quiet --no-default-features";
        run(cargo(&format!("{lint} --package {name}"))
            .arg(format!("--features={features}"))
            .arg("--target-dir")
            .arg(folder)
            .args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// The choices that differ in what they turn on, the small ones first.
fn choices(package: &Package) -> Vec<Choice> {
    let names: Vec<_> = package.features.keys().collect();
    let mut found = BTreeSet::from([Choice::new()]);
    for one in &names {
        found.insert(turned_on(&package.features, [*one]));
        // Features that only pass a word on meet in the crate they pass it on to.
        if !passes_on(package) {
            found.insert(all_but(&package.features, one));
        }
    }
    found.insert(turned_on(&package.features, names));
    let mut choices: Vec<_> = found.into_iter().collect();
    choices.sort_by_key(Choice::len);
    choices
}

/// Whether each feature of the crate stands for others' features, and for nothing of its own.
fn passes_on(package: &Package) -> bool {
    let is_others = |word: &String| word.contains('/') || package.features.contains_key(word);
    let mut enabled = package.features.values();
    enabled.all(|words| !words.is_empty() && words.iter().all(is_others))
}

/// All features that do not bring this one.
fn all_but(features: &BTreeMap<String, Choice>, left_out: &String) -> Choice {
    let brings = |name: &&String| turned_on(features, [*name]).contains(left_out);
    turned_on(features, features.keys().filter(|name| !brings(name)))
}

/// These features and those of the same crate that they bring. `default` is a name for others and no more.
fn turned_on<'a>(
    features: &'a BTreeMap<String, Choice>,
    asked: impl IntoIterator<Item = &'a String>,
) -> Choice {
    let mut left: Vec<_> = asked.into_iter().collect();
    let mut found = Choice::new();
    while let Some(name) = left.pop() {
        if let Some(brings) = features.get(name)
            && found.insert(name.clone())
        {
            left.extend(brings);
        }
    }
    found.remove("default");
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(features: &[(&str, &[&str])]) -> Package {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Package {
            name: "a".to_owned(),
            version: "0.1.0".to_owned(),
            features: features
                .iter()
                .map(|&(name, brings)| (name.to_owned(), set(brings)))
                .collect(),
        }
    }

    fn chosen(features: &[(&str, &[&str])]) -> Vec<String> {
        let choices = choices(&package(features));
        let text = |choice: &Choice| choice.iter().cloned().collect::<Vec<_>>().join("+");
        choices.iter().map(text).collect()
    }

    #[test]
    fn none_each_all_but_each_and_all() {
        let features = [("a", &[][..]), ("b", &["dep:x"]), ("c", &["y/z"])];
        let expected = ["", "a", "b", "c", "a+b", "a+c", "b+c", "a+b+c"];
        assert_eq!(chosen(&features), expected);
        assert_eq!(chosen(&[]), [""]);
        let four = [("a", &[][..]), ("b", &[]), ("c", &[]), ("d", &["dep:x"])];
        let each = ["", "a", "b", "c", "d"];
        let but_each = ["a+b+c", "a+b+d", "a+c+d", "b+c+d", "a+b+c+d"];
        assert_eq!(chosen(&four), [&each[..], &but_each].concat());
    }

    #[test]
    fn without_a_feature_those_that_bring_it_are_off_too() {
        let features = [("a", &[][..]), ("b", &["a"]), ("c", &["dep:x"])];
        assert!(chosen(&features).contains(&"c".to_owned()));
        assert!(!chosen(&features).contains(&"b+c".to_owned()));
    }

    #[test]
    fn what_is_passed_on_is_not_paired() {
        let features = [
            ("default", &["a"][..]),
            ("a", &["x/a"]),
            ("b", &["x/b"]),
            ("c", &["x/c"]),
        ];
        assert_eq!(chosen(&features), ["", "a", "b", "c", "a+b+c"]);
    }

    #[test]
    fn what_turns_on_the_same_is_checked_once() {
        let features = [("default", &["a"][..]), ("a", &[]), ("b", &["a"])];
        assert_eq!(chosen(&features), ["", "a", "a+b"]);
    }
}
