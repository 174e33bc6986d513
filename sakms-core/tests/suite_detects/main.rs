//! The suite for stores can fail: each of these stores is wrong in one way, and a case says so.
#![cfg(feature = "testkit")]
#![expect(
    clippy::unwrap_used,
    reason = "a store that is wrong on purpose may panic"
)]

mod flaw;
mod flawed;
mod wrong;

use std::panic::{AssertUnwindSafe, catch_unwind};

use flaw::Flaw;
use flawed::Flawed;
use sakms_core::store::MemoryStore;
use sakms_core::testkit;
use sakms_core::testkit::store::{
    Fixture, accounts, audit, conditions, counts, feed, filters, hashes, journal, keep, keys,
    owners, people, quota, races, repeats, roles, state_lists, state_races, states, update,
};

fn passes(flaw: Flaw, case: impl AsyncFnOnce(&Fixture)) -> bool {
    let factory = async || Some(Fixture::full(Flawed::new(flaw)));
    // What is torn by the panic belongs to this case alone.
    catch_unwind(AssertUnwindSafe(|| testkit::run("a case", factory, case))).is_ok()
}

macro_rules! detects {
    ($($flaw:ident by $test:ident: $room:ident::$case:ident;)*) => {$(
        #[test]
        fn $test() {
            assert!(passes(Flaw::None, $room::$case), "a store without the flaw must pass");
            assert!(!passes(Flaw::$flaw, $room::$case), "the case does not see the flaw");
        }
    )*};
}

detects! {
    IgnoresTheRevision by a_revision_that_is_ignored: update::an_update_of_another_revision_is_stale;
    ComparesBeforeItChanges by a_comparison_apart_from_the_change: races::one_of_many_updates_gets_through;
    ComparesBeforeItChanges by updates_that_are_lost: races::no_update_is_lost;
    IgnoresTheHash by a_hash_that_is_ignored: hashes::a_hash_for_another_one_is_stale;
    IgnoresTheHash by a_password_hash_that_is_ignored: hashes::a_password_hash_for_another_one_is_stale;
    ComparesBeforeItReplaces by hashes_that_are_lost: hashes::one_of_many_new_hashes_gets_through;
    ComparesBeforeItReplaces by a_password_that_is_undone: hashes::a_new_hash_undoes_no_new_password;
    CountsNewHashes by new_hashes_that_count: hashes::a_hash_is_replaced;
    CountsNewHashes by new_password_hashes_that_count: hashes::a_password_hash_is_replaced;
    ChangesWhatIsNotThere by a_change_of_nothing: update::an_update_of_an_unknown_key_is_not_found;
    PadsAddresses by padded_addresses: accounts::addresses_are_compared_byte_by_byte;
    FoldsOwners by folded_owners: owners::disabling_stops_no_lookalike;
    LosesMicroseconds by lost_microseconds: keys::times_keep_their_microseconds;
    JournalsWhatItRefuses by a_journal_of_what_was_refused: journal::a_refused_change_leaves_no_gap;
    ForgetsTheBeginning by a_field_that_is_forgotten: update::every_field_of_a_patch_is_kept;
    CutsLimits by limits_that_are_cut: keys::the_largest_values_come_back;
    IgnoresTheRevision by a_revision_that_is_ignored_at_an_end: keep::keeping_at_another_revision_is_stale;
    ComparesBeforeItChanges by ends_that_are_lost: keep::one_end_of_a_rotation_gets_through;
    KeepsAnybodysSecret by a_secret_of_somebody_else: keep::an_unknown_secret_is_not_kept;
    CountsBeforeItInserts by a_count_apart_from_the_insert: conditions::many_keys_at_once_stay_within_the_limit;
    CountsDeadKeys by dead_keys_that_count: conditions::keys_that_are_over_take_no_room;
    CountsBeforeItLooksForRepeats by a_repeat_that_finds_no_room: repeats::a_repeat_is_a_conflict_where_there_is_no_room;
    LooksBeforeItRemembers by repeats_that_get_through: repeats::one_of_many_repeats_makes_a_key;
    RemembersWhatItRefuses by a_memory_of_what_was_refused: repeats::a_refused_request_is_not_remembered;
    ForgetsTooMuch by requests_that_are_forgotten_too_early: repeats::old_requests_are_forgotten;
    ReadsBeforeItTakes by a_quota_that_is_read_first: quota::exactly_as_many_get_one_as_there_are;
    ReadsBeforeItTakes by a_quota_that_is_overdrawn: quota::many_takers_never_take_more_than_there_is;
    WrapsAround by a_quota_that_wraps_around: quota::the_largest_quotas_are_kept;
    TakesFromThePast by a_quota_of_the_past: quota::a_new_period_starts_afresh;
    UsesWhatItRefuses by a_refusal_that_counts_as_a_use: counts::a_refused_use_is_no_use;
    MergesUses by uses_that_are_merged: counts::many_uses_are_counted_at_once;
    ShowsTheLastPlaceTold by a_place_that_is_older: counts::the_place_of_the_latest_use_stays;
    ForgetsTheTag by a_condition_that_is_forgotten: filters::each_condition_is_kept;
    ForgetsTheTag by a_condition_that_is_forgotten_among_others: filters::conditions_are_kept_together;
    LikesTags by tags_that_are_patterns: filters::each_condition_is_kept;
    FiltersThePage by a_page_that_is_filtered: filters::a_page_is_full_though_few_match;
    CollatesRoles by roles_in_another_order: roles::roles_are_in_the_order_of_their_names;
    TakesRolesFromKeys by roles_that_change_keys: roles::roles_change_no_key;
    DefinesAnyNumber by too_many_roles: roles::there_are_no_more_roles_than_may_be;
    ChangesWhatIsNotThere by a_role_that_is_not_there: roles::a_role_is_taken_away;
    ChangesWhatIsNotThere by a_role_of_nobody: people::a_role_for_an_unknown_account_is_not_found;
    ForgetsRolesInOneRead by roles_that_show_in_one_read: people::an_account_is_given_a_role;
    FoldsActors by folded_actors: audit::each_question_is_answered;
    IncludesTheEnd by the_end_of_a_time: audit::each_question_is_answered;
    ShowsOwnersByName by rows_that_are_whose_key_it_is: audit::a_row_is_whose_its_subject_is;
    IgnoresTheRevision by a_revision_of_a_state_that_is_ignored: states::another_revision_is_stale;
    JournalsWhatItRefuses by a_journal_of_a_state_that_was_refused: states::another_revision_is_stale;
    ComparesBeforeItChanges by changes_of_a_state_that_are_lost: state_races::one_of_many_changes_of_a_state_gets_through;
    ComparesBeforeItChanges by a_removal_of_what_was_changed: state_races::a_removal_and_a_change_do_not_both_get_through;
    ChangesWhatIsNotThere by a_code_that_counts_twice: state_races::one_of_many_removals_gets_through;
    ChangesWhatIsNotThere by a_state_that_is_not_there: states::what_is_not_kept_is_not_found;
    CutsValues by values_that_are_cut: states::a_value_that_is_too_long_is_refused;
    FoldsOwners by states_of_folded_owners: state_lists::owners_of_what_is_kept_are_told_apart;
    ListsWhatEndsLast by states_in_another_order: state_lists::the_newest_come_first;
    RemovesOtherKinds by states_of_another_kind: state_lists::an_owners_are_removed_but_for_one;
    SparesNothing by a_state_that_is_not_spared: state_lists::an_owners_are_removed_but_for_one;
    ForgetsTooMuch by states_that_are_forgotten_too_early: state_lists::what_has_ended_is_forgotten;
    ShowsRowsOutOfOrder by rows_that_show_out_of_order: feed::a_follower_misses_nothing_while_others_write;
}

/// Racing is what finds it: one after the other, the comparison apart from the change looks right.
#[test]
fn a_race_is_needed_to_see_a_comparison_apart_from_the_change() {
    assert!(passes(
        Flaw::ComparesBeforeItChanges,
        update::an_update_of_another_revision_is_stale
    ));
}

/// A case that the macro does not name would never run.
#[test]
fn every_case_is_in_the_suite() {
    let suite = include_str!("../../src/testkit/store/mod.rs");
    let rooms = [
        (
            "accounts",
            include_str!("../../src/testkit/store/accounts.rs"),
        ),
        ("audit", include_str!("../../src/testkit/store/audit.rs")),
        (
            "conditions",
            include_str!("../../src/testkit/store/conditions.rs"),
        ),
        ("counts", include_str!("../../src/testkit/store/counts.rs")),
        ("feed", include_str!("../../src/testkit/store/feed.rs")),
        (
            "filters",
            include_str!("../../src/testkit/store/filters.rs"),
        ),
        ("hashes", include_str!("../../src/testkit/store/hashes.rs")),
        (
            "journal",
            include_str!("../../src/testkit/store/journal.rs"),
        ),
        ("keep", include_str!("../../src/testkit/store/keep.rs")),
        ("keys", include_str!("../../src/testkit/store/keys.rs")),
        ("list", include_str!("../../src/testkit/store/list.rs")),
        ("owners", include_str!("../../src/testkit/store/owners.rs")),
        ("people", include_str!("../../src/testkit/store/people.rs")),
        ("quota", include_str!("../../src/testkit/store/quota.rs")),
        ("races", include_str!("../../src/testkit/store/races.rs")),
        (
            "repeats",
            include_str!("../../src/testkit/store/repeats.rs"),
        ),
        ("roles", include_str!("../../src/testkit/store/roles.rs")),
        (
            "secrets",
            include_str!("../../src/testkit/store/secrets.rs"),
        ),
        (
            "state_lists",
            include_str!("../../src/testkit/store/state_lists.rs"),
        ),
        (
            "state_races",
            include_str!("../../src/testkit/store/state_races.rs"),
        ),
        ("states", include_str!("../../src/testkit/store/states.rs")),
        ("update", include_str!("../../src/testkit/store/update.rs")),
        ("usage", include_str!("../../src/testkit/store/usage.rs")),
    ];
    assert_eq!(
        suite.matches("\npub mod ").count(),
        rooms.len(),
        "a room is missing here"
    );
    let listed: Vec<_> = suite.lines().map(str::trim).collect();
    for (room, text) in rooms {
        let cases = text
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn "));
        let names = cases
            .filter_map(|line| line.split_once('('))
            .map(|(name, _)| name);
        let names: Vec<_> = names.collect();
        assert!(!names.is_empty(), "{room} has no case");
        for name in names {
            assert!(
                listed.contains(&&*format!("{room}::{name}")),
                "{room}::{name}"
            );
        }
    }
}

/// A store that is not available passes the case over, and the case does not run.
#[test]
fn a_missing_store_runs_nothing() {
    testkit::run(
        "a case",
        async || None,
        async |_: &Fixture| panic!("it ran"),
    );
}

/// The cases about accounts pass over a store of keys.
#[test]
fn a_store_of_keys_passes_the_accounts_over() {
    let factory = async || Some(Fixture::keys_only(MemoryStore::new()));
    testkit::run("a case", factory, accounts::an_account_comes_back);
    testkit::run(
        "a case",
        factory,
        races::one_of_many_accounts_takes_an_address,
    );
    testkit::run("a case", factory, states::what_is_kept_comes_back);
    testkit::run("a case", factory, journal::every_change_writes_one_entry);
}
