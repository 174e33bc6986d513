//! More than the server can do: sign-ins, keys that are none, and names. What is too much is refused soon and for little, and
//! whoever is known notices nothing.

mod ground;
mod keys;
mod logins;
mod names;

use std::time::Duration;

use crate::figure::Figure;
use crate::harness::setup::FRAMEWORKS;
use crate::run::Run;

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many hashes may wait (`SAKMS_HASH_QUEUE`).
    pub queue: &'static str,
    /// How many people sign in at once.
    pub people: u32,
    /// For how long they do, and for how long genuine-looking keys are shown.
    pub time: Duration,
    /// How many texts are shown that are no keys.
    pub texts: u64,
    /// How many passwords are sent that are too long.
    pub passwords: u64,
    /// With how many names somebody tries to sign in. What slows it down is the hash that each costs: so many take minutes.
    pub names: u64,
    /// How long a load for comparison takes.
    pub compared: Duration,
    /// Whether times have goals, and every part is done on both frameworks.
    pub timed: bool,
}

impl Plan {
    /// In small, for a test.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            queue: "8",
            people: 60,
            time: Duration::from_secs(1),
            texts: 2_000,
            passwords: 20,
            names: 300,
            compared: Duration::from_millis(500),
            timed: false,
        }
    }

    /// At length.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            queue: "64",
            people: 1_000,
            time: Duration::from_mins(1),
            texts: 1_000_000,
            passwords: 1_000,
            names: 10_000,
            compared: Duration::from_secs(10),
            timed: true,
        }
    }
}

type Part = fn(&str, &Run, &Plan) -> Vec<Figure>;

/// Each with whether it is tried on both frameworks at length: what is counted of names is not theirs.
const PARTS: [(Part, bool); 6] = [
    (logins::many, true),
    (logins::slowed_down, true),
    (keys::no_keys, true),
    (keys::genuine, true),
    (logins::long_passwords, true),
    (names::many, false),
];

/// Runs it at length.
#[must_use]
pub fn long(run: &Run) -> Vec<Figure> {
    scenario(run, &Plan::long())
}

/// Runs the parts one after the other: at length on both frameworks, in small on one and the other by turns.
#[must_use]
pub fn scenario(run: &Run, plan: &Plan) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (number, (part, both)) in PARTS.iter().enumerate() {
        let turn = FRAMEWORKS[number % FRAMEWORKS.len()];
        for framework in FRAMEWORKS {
            if (plan.timed && *both) || framework == turn {
                let of_one = part(framework, run, plan);
                run.tell(&of_one);
                figures.extend(of_one.into_iter().map(|figure| Figure {
                    what: format!("{framework}: {}", figure.what),
                    ..figure
                }));
            }
        }
    }
    figures
}
