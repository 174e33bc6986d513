//! The list of scenarios.

pub mod database_trouble;
pub mod flood;
pub mod slow_loris;

use crate::figure::Figure;
use crate::run::Run;

/// Something that SAKMS has to stand.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Does it, at length.
    pub run: fn(&Run) -> Vec<Figure>,
}

/// All of them, in the order in which `all` runs them.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "database-trouble",
        about: "a network between server and MariaDB that loses, cuts, delays and slices",
        run: database_trouble::long,
    },
    Scenario {
        name: "flood",
        about: "more sign-ins, texts and names than the server can check",
        run: flood::long,
    },
    Scenario {
        name: "slow-loris",
        about: "clients that send nothing, byte by byte, or never read",
        run: slow_loris::long,
    },
];

/// The one of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}
