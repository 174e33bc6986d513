//! What both applications keep, on the real program.

#[path = "../../host/checks.rs"]
mod checks;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sakms-example-axum");

#[test]
fn everything_is_there_again_after_a_stop() {
    checks::everything_is_there_again_after_a_stop(PROGRAM);
}

#[test]
fn a_file_needs_a_master_key() {
    checks::a_file_needs_a_master_key(PROGRAM);
}

#[test]
fn users_see_their_own_keys_alone() {
    checks::users_see_their_own_keys_alone(PROGRAM);
}

#[test]
fn another_site_cannot_use_a_session() {
    checks::another_site_cannot_use_a_session(PROGRAM);
}

#[test]
fn the_applications_layer_is_around_everything() {
    checks::the_applications_layer_is_around_everything(PROGRAM);
}

#[test]
fn what_is_wrong_with_a_body_is_said_alike() {
    checks::what_is_wrong_with_a_body_is_said_alike(PROGRAM);
}
