//! A cluster whose nodes fail, in small.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::cluster::{Plan, run_plan};

#[test]
fn a_cluster_in_trouble_lets_nobody_in_who_was_revoked() {
    assert_met(&run_plan(&Run::short(), &Plan::short()));
}
