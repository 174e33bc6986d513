//! Power cuts, in small.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::power::{self, Plan};

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    assert_met(&power::run(&Run::short(), Plan::short()));
}
