//! Answers about keys that are revoked meanwhile, in small.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::consistency::{Plan, run_plan};

#[test]
fn nobody_is_let_in_by_what_is_out_of_date() {
    assert_met(&run_plan(&Run::short(), &Plan::short()));
}
