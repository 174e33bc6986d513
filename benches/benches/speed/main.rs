//! How long things take. One program, because to link one for each group takes longer than to run them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench reports on standard output, and ends by panicking when what it measures does not work"
)]

mod cold;
mod enumeration;
mod gates;
mod hash;
mod http;
mod revoke;
mod store;
mod verify;

use criterion::Criterion;
use sakms_benches::run::Run;

type Group = fn(&Run, &mut Criterion);

const GROUPS: [(&str, Group); 8] = [
    ("hash", hash::measure),
    ("verify", verify::measure),
    ("gates", gates::measure),
    ("cold", cold::measure),
    ("enumeration", enumeration::measure),
    ("store", store::measure),
    ("http", http::measure),
    ("revoke", revoke::measure),
];

fn main() {
    let Some(run) = Run::from_surroundings() else {
        return;
    };
    let mut criterion = run.criterion();
    for (name, measure) in GROUPS {
        if run.wants(name) {
            measure(&run, &mut criterion);
        }
    }
}
