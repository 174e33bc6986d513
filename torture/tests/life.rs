//! Restarts, a clock that jumps, full disks and migrations that are cut short, in small.

use sakms_torture::figure::assert_met;
use sakms_torture::run::Run;
use sakms_torture::scenarios::life::{clock, disk, schema, stop};

#[test]
fn requests_in_flight_are_answered_and_uses_are_kept_at_the_end() {
    assert_met(&stop::run(&Run::short(), stop::Plan::short()));
}

#[test]
fn a_clock_that_jumps_revives_nothing() {
    assert_met(&clock::run(&Run::short(), clock::Plan::short()));
}

#[test]
fn a_full_disk_loses_nothing() {
    assert_met(&disk::run(&Run::short(), disk::Plan::short()));
}

#[test]
fn a_migration_that_was_killed_is_finished_by_the_next() {
    assert_met(&schema::run(&Run::short(), schema::Plan::short()));
}
