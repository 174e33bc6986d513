//! The list of scenarios.

pub mod cluster;
pub mod consistency;

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
        name: "consistency",
        about: "access is taken away while others check, on one node and on three",
        run: consistency::long,
    },
    Scenario {
        name: "cluster",
        about: "Galera nodes are killed, stopped and cut off",
        run: cluster::long,
    },
];

/// The one of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}
