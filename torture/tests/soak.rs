//! The usual load, for a few seconds.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::soak::{self, Plan};

#[test]
fn the_usual_load_meets_no_errors() {
    assert_met(&soak::run(&Run::short(), Plan::short()));
}
