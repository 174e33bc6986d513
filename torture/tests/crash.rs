//! The server and its database are killed, in small.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::crash::{self, Plan};

#[test]
fn what_a_killed_server_acknowledged_is_there() {
    assert_met(&crash::run_server(&Run::short(), Plan::short()));
}

#[test]
fn what_was_acknowledged_before_a_database_was_killed_is_there() {
    assert_met(&crash::run_database(&Run::short(), Plan::short_database()));
}
