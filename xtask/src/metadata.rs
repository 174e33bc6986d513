//! What cargo knows of the workspace's packages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::failure::{Attempt, Failure, Outcome};
use crate::run;
use crate::workspace::cargo;

/// A package that others may depend on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its features, with what each turns on.
    pub(crate) features: BTreeMap<String, BTreeSet<String>>,
}

/// The packages of the workspace that are not kept from being published, by name.
pub(crate) fn published() -> Outcome<Vec<Package>> {
    let text = run::capture(&mut cargo("metadata --locked --no-deps --format-version 1"))?;
    let packages = read(&text)?;
    if packages.is_empty() {
        return Err(Failure::new("the workspace has no package to publish"));
    }
    Ok(packages)
}

fn read(text: &str) -> Outcome<Vec<Package>> {
    let metadata: Value =
        serde_json::from_str(text).attempt(|| "cargo metadata is no JSON".to_owned())?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut packages: Vec<_> = packages
        // An empty list of registries means "never"; none means "anywhere".
        .filter(|package| package["publish"].is_null())
        .map(|package| Package {
            name: text_of(&package["name"]),
            version: text_of(&package["version"]),
            features: features(&package["features"]),
        })
        .collect();
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(packages)
}

fn features(table: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let rows = table.as_object().into_iter().flatten();
    rows.map(|(name, enables)| {
        let enables = enables.as_array().into_iter().flatten();
        (name.clone(), enables.map(text_of).collect())
    })
    .collect()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_without_those_that_stay_here() {
        let packages = read(
            r#"{"packages": [
                {"name": "tool", "publish": [], "features": {}},
                {"name": "b", "publish": null, "features": {"x": [], "y": ["x", "dep:z"]}},
                {"name": "a", "publish": null, "features": {}}
            ]}"#,
        );
        let packages = packages.unwrap();
        let names: Vec<_> = packages.iter().map(|package| &package.name).collect();
        assert_eq!(names, ["a", "b"]);
        let enabled = &packages[1].features["y"];
        assert!(enabled.contains("x") && enabled.contains("dep:z"));
        assert!(read("nonsense").is_err());
    }
}
