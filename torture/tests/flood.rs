//! More than the server can do, in small.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::flood::{Plan, scenario};

#[test]
fn what_is_too_much_is_refused_and_known_keys_notice_nothing() {
    let found = scenario(&Run::short(), &Plan::short());
    for figure in &found {
        println!("{}", figure.line("flood"));
    }
    assert_met(&found);
}
