//! Builds that only somebody else's choice of features brings about.
//!
//! Features add, so each choice has to build: none of them, each alone, each two together, and all. What a third one breaks,
//! it breaks with one of the two alone, nearly always; checking every subset would take twice as long.

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::Outcome;
use crate::metadata::{self, Package};
use crate::report::say;
use crate::run::run;
use crate::workspace::cargo;

/// A choice of features, with all that they turn on.
type Choice = BTreeSet<String>;

/// Checks each published crate under every choice, with warnings denied: code that nothing uses is a mistake too.
pub(crate) fn check() -> Outcome {
    for package in metadata::published()? {
        let choices = choices(&package);
        let (name, count) = (&package.name, choices.len());
        say(&format!("    {name}: {count} choices"));
        for choice in choices {
            let features: Vec<_> = choice.iter().map(String::as_str).collect();
            let features = features.join(",");
            let lint = "clippy --locked --quiet --no-default-features";
            run(cargo(&format!("{lint} --package {name}"))
                .arg(format!("--features={features}"))
                .args(["--", "-D", "warnings"]))?;
        }
    }
    Ok(())
}

/// The choices that differ in what they turn on, the small ones first.
fn choices(package: &Package) -> Vec<Choice> {
    let names: Vec<_> = package.features.keys().collect();
    let mut found = BTreeSet::from([Choice::new()]);
    for (place, one) in names.iter().enumerate() {
        // Two features that only pass a word on meet in the crate they pass it on to.
        let others = if passes_on(package) { 1 } else { names.len() };
        for other in names[place..].iter().take(others) {
            found.insert(turned_on(&package.features, [*one, *other]));
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
    fn none_each_two_and_all() {
        let features = [("a", &[][..]), ("b", &["dep:x"]), ("c", &["y/z"])];
        let expected = ["", "a", "b", "c", "a+b", "a+c", "b+c", "a+b+c"];
        assert_eq!(chosen(&features), expected);
        assert_eq!(chosen(&[]), [""]);
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
