//! What every store must do, as cases that [`store_suite!`](crate::store_suite) makes tests of.
//!
//! A case gets a store that nobody else uses, and is read as: this is what the trait promises.

pub mod accounts;
pub mod audit;
pub mod conditions;
pub mod counts;
pub mod feed;
pub mod filters;
pub mod hashes;
pub mod journal;
pub mod keep;
pub mod keys;
pub mod list;
pub mod owners;
pub mod people;
pub mod quota;
pub mod races;
mod random;
pub mod repeats;
pub mod roles;
pub mod secrets;
pub mod state_lists;
pub mod state_races;
pub mod states;
mod support;
pub mod update;
pub mod usage;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::store::{AccountStore, KeyStore, StateStore};

/// A store to try, with whatever must live as long as it.
pub struct Fixture {
    // Dropped in this order: first the handles, then what they stand on.
    /// The store of keys.
    pub keys: Arc<dyn KeyStore>,
    /// The store of accounts, if it is one.
    pub accounts: Option<Arc<dyn AccountStore>>,
    /// The store of what is kept for a while, if it is one.
    pub states: Option<Arc<dyn StateStore>>,
    /// What goes when the case is over: a folder, a database. It is dropped after the handles to the store and
    /// outside of asynchronous code, so it may block.
    pub guard: Option<Box<dyn Any + Send>>,
}

impl Fixture {
    /// A store of everything: keys, accounts, and what is kept for a while.
    #[must_use]
    pub fn full(store: impl KeyStore + AccountStore + StateStore) -> Self {
        let store = Arc::new(store);
        Self {
            keys: Arc::clone(&store) as _,
            accounts: Some(Arc::clone(&store) as _),
            states: Some(store),
            guard: None,
        }
    }

    /// A store of keys and accounts; the cases about what is kept for a while are passed over.
    #[must_use]
    pub fn new(store: impl KeyStore + AccountStore) -> Self {
        let store = Arc::new(store);
        Self {
            keys: Arc::clone(&store) as _,
            accounts: Some(store),
            states: None,
            guard: None,
        }
    }

    /// A store of keys alone; the cases about anything else are passed over.
    #[must_use]
    pub fn keys_only(store: impl KeyStore) -> Self {
        Self {
            keys: Arc::new(store),
            accounts: None,
            states: None,
            guard: None,
        }
    }

    /// The same with something that must live as long as the store.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture")
            .field("keys", &self.keys)
            .field("accounts", &self.accounts)
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}

/// Makes a test of every case of the suite for stores.
///
/// `factory` names an `async fn() -> Option<Fixture>` that gives a new and empty store each time
/// ([`Fixture`](crate::testkit::store::Fixture)). `None` passes the case over: whether that is allowed is for the
/// factory to decide.
///
/// ```
/// # use sakms_core::{store::MemoryStore, testkit::store::Fixture};
/// async fn factory() -> Option<Fixture> {
///     Some(Fixture::full(MemoryStore::new()))
/// }
///
/// sakms_core::store_suite!(factory);
/// ```
#[macro_export]
macro_rules! store_suite {
    ($factory:expr) => {
        $crate::__store_cases! { $factory;
            keys::ping_answers
            keys::a_plain_key_comes_back
            keys::a_full_key_comes_back
            keys::the_largest_values_come_back
            keys::limits_are_kept_to_the_letter
            keys::tags_and_roles_are_kept_to_the_letter
            keys::names_are_kept_to_the_letter
            keys::metadata_is_kept_to_the_letter
            keys::owners_are_kept_to_the_letter
            keys::times_keep_their_microseconds
            keys::what_is_unknown_is_none
            keys::a_key_id_is_taken_once
            keys::a_secret_id_is_taken_once
            keys::ids_are_compared_byte_by_byte
            conditions::an_owner_has_no_more_keys_than_they_may
            conditions::keys_that_are_over_take_no_room
            conditions::a_revoked_key_makes_room
            conditions::lookalikes_take_no_room
            conditions::many_keys_at_once_stay_within_the_limit
            conditions::owners_do_not_take_each_others_room
            conditions::without_conditions_there_is_room
            repeats::a_request_is_remembered
            repeats::requests_are_told_apart_byte_by_byte
            repeats::a_repeated_request_adds_nothing
            repeats::a_repeat_is_a_conflict_where_there_is_no_room
            repeats::a_refused_request_is_not_remembered
            repeats::old_requests_are_forgotten
            repeats::one_of_many_repeats_makes_a_key
            repeats::one_of_many_repeats_makes_a_secret
            repeats::one_of_many_repeats_rotates_a_key
            repeats::a_request_without_a_key_is_no_repeat
            update::an_update_counts_the_revision_up
            update::an_update_of_another_revision_is_stale
            update::an_update_of_an_unknown_key_is_not_found
            update::an_update_to_the_present_values_is_made
            update::every_field_of_a_patch_is_kept
            update::revoking_twice_keeps_the_first_moment
            update::an_update_changes_no_other_key
            update::an_update_keeps_the_last_use
            list::pages_follow_each_other
            list::a_page_that_is_just_full_is_the_last
            list::the_longest_page_is_given_whole
            list::pages_stand_still_while_keys_are_added
            list::a_page_starts_behind_any_id
            list::an_owner_without_keys_has_an_empty_page
            list::keys_are_listed_in_every_state
            list::owners_that_look_alike_are_different
            filters::everybodys_keys_are_listed
            filters::each_condition_is_kept
            filters::conditions_are_kept_together
            filters::a_key_is_in_one_state
            filters::moments_are_compared_exactly
            filters::a_page_is_full_though_few_match
            filters::environments_are_compared_to_the_letter
            secrets::a_second_secret_is_found_and_shown
            secrets::an_earlier_retirement_stays
            secrets::a_later_retirement_is_brought_forward
            secrets::secrets_are_retired_at_any_moment
            secrets::a_second_secret_changes_no_other_key
            secrets::a_second_secret_keeps_the_last_use
            secrets::a_second_secret_for_another_revision_is_stale
            secrets::a_second_secret_for_an_unknown_key_is_not_found
            secrets::a_second_secret_with_a_taken_id_is_refused
            keep::an_overlap_is_ended
            keep::a_rotation_is_taken_back
            keep::the_others_retire_at_the_earliest_moment
            keep::the_only_secret_is_kept
            keep::keeping_changes_nothing_else
            keep::an_unknown_secret_is_not_kept
            keep::keeping_at_another_revision_is_stale
            keep::one_end_of_a_rotation_gets_through
            hashes::a_hash_is_replaced
            hashes::a_new_hash_changes_no_other_secret
            hashes::a_hash_for_another_one_is_stale
            hashes::a_hash_for_an_unknown_secret_is_not_found
            hashes::a_hash_with_an_entry_that_is_there_is_refused
            hashes::one_of_many_new_hashes_gets_through
            hashes::a_new_hash_undoes_no_revocation
            hashes::a_password_hash_is_replaced
            hashes::a_password_hash_for_another_one_is_stale
            hashes::a_new_hash_undoes_no_new_password
            usage::a_use_shows_in_every_read
            usage::the_latest_use_stays
            usage::a_secret_may_be_used_twice_in_one_call
            usage::uses_are_known_at_any_moment
            usage::a_key_was_used_when_one_of_its_secrets_was
            usage::an_unknown_secret_is_passed_over
            usage::no_uses_are_recorded
            usage::uses_are_no_changes
            usage::many_uses_are_recorded_at_once
            counts::each_secret_shows_its_uses
            counts::the_place_of_the_latest_use_stays
            counts::places_are_kept_to_the_bit
            counts::a_refused_use_is_no_use
            counts::a_day_ends_at_midnight
            counts::days_are_given_by_their_range
            counts::the_first_and_the_last_day_are_counted
            counts::many_uses_are_counted_at_once
            counts::no_use_is_lost
            quota::a_quota_is_taken_until_it_is_empty
            quota::more_than_there_is_was_never_taken
            quota::a_quota_is_of_one_key
            quota::a_new_period_starts_afresh
            quota::periods_begin_at_any_moment
            quota::the_amount_is_what_it_is_now
            quota::the_largest_quotas_are_kept
            quota::exactly_as_many_get_one_as_there_are
            quota::many_takers_never_take_more_than_there_is
            quota::a_new_period_begins_once
            owners::an_owner_is_not_disabled_at_first
            owners::a_disabled_owner_shows_in_every_secret
            owners::an_owner_can_be_disabled_before_their_first_key
            owners::an_owner_can_be_disabled_twice
            owners::an_owner_can_be_enabled_who_was_not_disabled
            owners::an_owner_can_be_disabled_at_any_moment
            owners::disabling_stops_no_lookalike
            roles::a_role_comes_back
            roles::the_last_word_about_a_role_counts
            roles::roles_are_in_the_order_of_their_names
            roles::the_largest_roles_come_back
            roles::a_role_is_taken_away
            roles::roles_change_no_key
            roles::a_role_with_an_entry_that_is_there_is_refused
            roles::there_are_no_more_roles_than_may_be
            states::what_is_kept_comes_back
            states::the_largest_values_are_kept
            states::a_value_that_is_too_long_is_refused
            states::an_id_is_taken_once_by_a_kind
            states::state_ids_are_compared_byte_by_byte
            states::a_change_counts_the_revision_up
            states::another_revision_is_stale
            states::what_is_not_kept_is_not_found
            states::what_is_removed_is_gone
            state_lists::the_newest_come_first
            state_lists::owners_of_what_is_kept_are_told_apart
            state_lists::an_owners_are_removed_but_for_one
            state_lists::what_has_ended_is_forgotten
            states::changes_of_what_is_kept_are_written_down
            states::a_state_with_an_entry_that_is_there_is_refused
            state_races::one_of_many_states_takes_an_id
            state_races::one_of_many_changes_of_a_state_gets_through
            state_races::one_of_many_removals_gets_through
            state_races::a_removal_and_a_change_do_not_both_get_through
            accounts::an_account_comes_back
            accounts::the_largest_account_comes_back
            accounts::an_unknown_account_is_none
            accounts::addresses_are_compared_byte_by_byte
            accounts::an_address_is_taken_once
            accounts::an_account_id_is_taken_once
            accounts::a_password_is_changed
            accounts::a_password_for_another_revision_is_stale
            accounts::a_password_for_an_unknown_account_is_not_found
            people::accounts_are_listed_in_pages
            people::a_page_of_accounts_starts_behind_any_id
            people::an_account_is_given_a_role
            people::roles_stay_with_their_account
            people::a_role_for_an_unknown_account_is_not_found
            people::a_role_with_an_entry_that_is_there_is_not_given
            people::the_last_word_about_a_role_of_an_account_counts
            journal::the_journal_begins_empty
            journal::every_change_writes_one_entry
            journal::entries_come_back_to_the_letter
            journal::the_journal_is_read_in_pages
            journal::nothing_follows_the_last_row
            journal::a_refused_change_leaves_no_gap
            journal::an_entry_is_written_once
            audit::a_note_is_a_row
            audit::the_newest_rows_come_first
            audit::pages_of_the_journal_stand_still
            audit::each_question_is_answered
            audit::rows_are_found_at_any_moment
            audit::a_row_is_whose_its_subject_is
            audit::questions_are_answered_together
            feed::many_writers_leave_no_gap
            feed::a_follower_misses_nothing_while_others_write
            feed::what_was_acknowledged_is_seen_at_once
            races::one_of_many_updates_gets_through
            races::no_update_is_lost
            races::the_first_of_many_revocations_stays
            races::one_of_many_keys_takes_an_id
            races::one_of_many_keys_takes_a_secret_id
            races::one_of_many_different_changes_gets_through
            races::what_is_given_up_leaves_no_half
            races::uses_and_changes_do_not_lose_each_other
            races::the_last_word_about_an_owner_counts
            races::one_of_many_accounts_takes_an_address
            races::one_of_many_passwords_gets_through
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($factory:expr; $($room:ident::$case:ident)*) => {$(
        #[test]
        fn $case() {
            $crate::testkit::run(stringify!($case), $factory, $crate::testkit::store::$room::$case);
        }
    )*};
}
