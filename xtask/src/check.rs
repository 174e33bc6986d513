//! Everything that can be wrong with a change without running it.

use crate::failure::Outcome;
use crate::report::Report;
use crate::run::run;
use crate::workspace::{cargo, root};
use crate::{advisories, deny, features, package, rules};

/// Runs every check, the quick ones first, and fails if one did.
pub(crate) fn check() -> Outcome {
    let mut report = Report::begin("check");
    report.step("format", || run(&mut cargo("fmt --all --check")))?;
    report.step("house rules", || rules::sources(root()))?;
    report.step("advisories page", || advisories::check(root()))?;
    report.step("locked versions", || advisories::lock::check(root()))?;
    report.step("dependency rules", rules::dependencies)?;
    report.step("lints", || {
        run(&mut cargo(
            "clippy --locked --workspace --all-targets --all-features -- -D warnings",
        ))
    })?;
    report.step("docs", || {
        run(cargo("doc --locked --workspace --no-deps --all-features")
            .env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    report.step("features", features::check)?;
    report.step("packages", package::check)?;
    let mut tool = None;
    report.step("cargo-deny", || {
        tool = Some(deny::Deny::find_or_install()?);
        Ok(())
    })?;
    if let Some(tool) = tool {
        report.step("licences and bans", || tool.check_policy())?;
        report.step("our advisories", || tool.check_vendored())?;
        let mut missing = None;
        let known = report.step("advisory database", || {
            missing = tool.fetch_advisories()?;
            Ok(())
        })?;
        match missing {
            Some(cause) => report.skip("advisories", &cause),
            None if known => drop(report.step("advisories", || tool.check_advisories())?),
            None => {}
        }
    }
    report.finish()
}
