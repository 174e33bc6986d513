//! Trouble between the server and its database, in small.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::database_trouble::{Plan, scenario};

#[test]
fn what_is_said_of_a_key_is_right_or_nothing_whatever_the_network_does() {
    let found = scenario(&Run::short(), &Plan::short());
    for figure in &found {
        println!("{}", figure.line("database-trouble"));
    }
    assert_met(&found);
}
