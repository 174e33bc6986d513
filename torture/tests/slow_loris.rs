//! Clients that take their time, in small.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::slow_loris::{Plan, scenario};

#[test]
fn slow_clients_are_noticed_by_nobody_and_closed() {
    let found = scenario(&Run::short(), &Plan::short());
    for figure in &found {
        println!("{}", figure.line("slow-loris"));
    }
    assert_met(&found);
}
