//! The list of scenarios.

pub mod cluster;
pub mod consistency;
pub mod crash;
pub mod database_trouble;
pub mod flood;
pub mod life;
pub mod power;
pub mod slow_loris;
pub mod soak;

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
        name: "crash",
        about: "kill -9 of the server while keys are made, rotated and revoked",
        run: |run| crash::run_server(run, crash::Plan::long()),
    },
    Scenario {
        name: "database-crash",
        about: "kill -9 of MariaDB under a server that stays up",
        run: |run| crash::run_database(run, crash::Plan::long_database()),
    },
    Scenario {
        name: "power",
        about: "power cuts: what SQLite's files may be after one, from a record of all writes and syncs",
        run: |run| power::run(run, power::Plan::long()),
    },
    Scenario {
        name: "life",
        about: "SIGTERM under load, a clock that jumps, full disks, migrations that are killed",
        run: life::run,
    },
    Scenario {
        name: "soak",
        about: "half an hour of the usual load: memory and descriptors stay as they are",
        run: |run| soak::run(run, soak::Plan::long()),
    },
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
