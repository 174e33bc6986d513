//! What every adapter must do, as cases that [`http_suite!`](crate::http_suite) makes tests of.
//!
//! The cases talk to a real server over real sockets and know nothing about the framework behind it, so that two
//! adapters that both pass give the same answers.
//!
//! # What an adapter's test serves
//! `start` gets an [`Api`] and serves it on a free port of 127.0.0.1, with these routes:
//!
//! | path | what it is |
//! | --- | --- |
//! | the table's | the routes of the `Api`, at the root |
//! | any other | the adapter's "not found", and its "method not allowed" for other methods of the paths below |
//! | `GET /guarded/any` | any key, of whichever environment a guard means that says none; answers [`key_json`] |
//! | `GET /guarded/reports` | keys with the scope `reports:read`; answers [`key_json`] |
//! | `GET /guarded/live` | keys of the environment `live`; answers [`key_json`] |
//! | `GET /guarded/test` | keys of the environment `test`; answers [`key_json`] |
//! | `GET /guarded/everywhere` | keys of any environment; answers [`key_json`] |
//! | `GET /guarded/either` | keys that meet [`EITHER`]; answers [`key_json`] |
//! | `GET /guarded/costly` | any key, at the cost of [`COST`]; answers [`key_json`] |
//! | `GET /guarded/proxied` | any key, past the proxies that [`PROXIES`] says are trusted; answers [`key_json`] |
//! | `GET /guarded/maybe` | any key, or nobody; answers [`owner_json`] |
//! | `GET /guarded/token` | people who have signed in; answers [`caller_json`] |
//! | `GET /guarded/token-or-key` | people who have signed in, or keys with the scope `reports:read`; answers [`caller_json`] |
//! | `GET /unguarded` | a handler that takes the verified key, on a route without a guard |
//! | `GET /open` | 200, whatever the body, for anyone |
//! | `/host/...` | the routes of the same `Api`, the group [`Group::Keys`](crate::http::Group::Keys) alone, under a middleware of the host's: when there is a header [`HOST_USER`], it puts [`Caller::owner`](crate::service::Caller::owner) of its value into the request's extensions |
//!
//! JSON comes with `Content-Type: application/json`. The server stops when [`Server`] is dropped.
//!
//! ```
//! use sakms_core::http::Api;
//! use sakms_core::store::MemoryStore;
//! use sakms_core::testkit::http::Server;
//! use sakms_core::testkit::store::Fixture;
//! use tokio::net::TcpListener;
//!
//! # async fn serve(_: TcpListener, _: Api) {}
//! async fn start(api: Api) -> Server {
//!     let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
//!     let address = listener.local_addr().unwrap();
//!     // `serve` is the framework's.
//!     Server::of_task(address, tokio::spawn(serve(listener, api)))
//! }
//!
//! async fn factory() -> Option<Fixture> {
//!     Some(Fixture::full(MemoryStore::new()))
//! }
//!
//! sakms_core::http_suite!(start, factory);
//! ```

mod answer;
mod client;
mod rows;
mod stage;
mod world;

pub mod accounts;
pub mod addresses;
pub mod admin;
pub mod admins;
pub mod ask;
pub mod audit;
pub mod bodies;
pub mod bounds;
pub mod bulk;
pub mod ceilings;
pub mod confirmation;
pub mod corpus;
pub mod credentials;
pub mod documents;
pub mod elsewhere;
pub mod environments;
pub mod exchange;
pub mod explain;
pub mod fields;
pub mod filters;
pub mod flow;
pub mod forgeries;
pub mod guard;
pub mod host;
pub mod idempotency;
pub mod jwks;
pub mod key_caller;
pub mod keys;
pub mod lifetimes;
pub mod limits;
pub mod oauth;
pub mod old_secrets;
pub mod outage;
pub mod paging;
pub mod races;
pub mod recovery;
pub mod revocations;
pub mod rotation;
pub mod sessions;
pub mod state;
pub mod table;
pub mod throttles;
pub mod token_guard;
pub mod usage;

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub use answer::Answer;
pub use client::{Client, Request};
pub use stage::Stage;
pub use world::{Key, Session, User, World};

use super::PATIENCE;
use super::store::Fixture;
use crate::http::Api;
use crate::service::{Caller, VerifiedKey};
use crate::token::Claims;

/// What the route `/guarded/either` asks of a key.
pub const EITHER: &str = "(reports:read or reports:audit) and not reports:delete";
/// What a request to `/guarded/costly` costs.
pub const COST: NonZeroU32 = match NonZeroU32::new(5) {
    Some(cost) => cost,
    None => NonZeroU32::MIN,
};
/// Who is believed on `/guarded/proxied`: whoever connects from this machine.
pub const PROXIES: &str = "127.0.0.0/8,::1";

/// The header in which the suite's host says who its user is.
pub const HOST_USER: &str = "x-host-user";

/// A server that runs until it is dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    _guard: Box<dyn Any + Send>,
}

impl Server {
    /// A server at `address` that runs until `guard` is dropped.
    #[must_use]
    pub fn new(address: SocketAddr, guard: impl Any + Send) -> Self {
        Self {
            address,
            _guard: Box::new(guard),
        }
    }

    /// A server at `address` that runs in a task of this runtime.
    #[must_use]
    pub fn of_task<T: Send + 'static>(address: SocketAddr, task: JoinHandle<T>) -> Self {
        Self::new(address, AbortOnDrop(task))
    }
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// What the guarded test routes answer.
#[must_use]
pub fn key_json(key: &VerifiedKey) -> Value {
    json!({
        "owner": key.owner(),
        "key_id": key.key_id(),
        "scopes": key.scopes(),
        "environment": key.environment(),
        "metadata": key.metadata(),
    })
}

/// What the test route that lets anybody through answers.
#[must_use]
pub fn owner_json(key: Option<&VerifiedKey>) -> Value {
    json!({"owner": key.map(VerifiedKey::owner)})
}

/// What the test routes answer that let people through who have signed in.
#[must_use]
pub fn caller_json(caller: &Caller) -> Value {
    json!({
        "owner": caller.owner_name(),
        "admin": caller.is_admin(),
        "key_id": caller.verified_key().map(VerifiedKey::key_id),
        "token_of": caller.claims().map(Claims::subject),
    })
}

/// Runs one case of [`http_suite!`](crate::http_suite) on a store of its own.
///
/// # Panics
/// When the server does not do what the case expects: that is the report.
pub fn run<S: Future<Output = Server> + 'static>(
    name: &str,
    start: impl Fn(Api) -> S + 'static,
    factory: impl AsyncFnOnce() -> Option<Fixture>,
    case: impl AsyncFnOnce(&Stage),
) {
    on_stage(name, start, factory, case);
}

/// Runs something on a store of its own and gives what came of it; `None` when there is no such store here.
fn on_stage<S: Future<Output = Server> + 'static, T>(
    name: &str,
    start: impl Fn(Api) -> S + 'static,
    factory: impl AsyncFnOnce() -> Option<Fixture>,
    case: impl AsyncFnOnce(&Stage) -> T,
) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let Some(fixture) = runtime.block_on(factory()) else {
        eprintln!("skipped: {name}: the store is not available here");
        return None;
    };
    let Some(accounts) = fixture.accounts else {
        eprintln!("skipped: {name}: the store keeps no accounts");
        return None;
    };
    let mut stage = Stage::new(fixture.keys, accounts, start);
    if let Some(states) = fixture.states {
        stage = stage.with_states(states);
    }
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, case(&stage)).await });
    // The handles to the store go before what it stands on: first ours, then those of tasks that still run.
    drop(stage);
    drop(runtime);
    drop(fixture.guard);
    let outcome = outcome.ok();
    assert!(outcome.is_some(), "{name} did not end within {PATIENCE:?}");
    outcome
}

/// Makes a test of every case of the suite for adapters.
///
/// `start` names an `async fn(Api) -> Server` that serves what [`testkit::http`](crate::testkit::http) describes;
/// `factory` names an `async fn() -> Option<Fixture>` that gives a new and empty store each time, as for
/// [`store_suite!`](crate::store_suite).
#[macro_export]
macro_rules! http_suite {
    ($start:expr, $factory:expr) => {
        $crate::__http_cases! { $start, $factory;
            flow::the_flow_with_a_token_in_the_query
            flow::the_flow_with_a_token_in_a_header
            flow::paths_answer_with_a_trailing_slash
            flow::tokens_in_the_query_are_marked_as_deprecated
            flow::tokens_in_the_query_are_refused_unless_allowed
            flow::revoking_twice_changes_nothing
            flow::a_revocation_holds_on_every_node
            accounts::an_address_is_registered_once
            accounts::one_of_eight_registrations_gets_through
            accounts::refused_sign_ins_look_alike
            accounts::what_is_no_address_is_refused
            accounts::weak_passwords_are_refused_with_the_reason
            accounts::passwords_have_an_end
            accounts::passwords_are_taken_to_the_letter
            accounts::a_token_ends_after_its_time
            accounts::bad_tokens_look_alike
            accounts::a_disabled_owner_is_shut_out
            throttles::failures_with_an_address_are_answered_with_a_pause
            throttles::an_address_without_an_account_is_slowed_down_alike
            throttles::a_known_source_is_let_in_throughout_an_attack
            throttles::a_source_that_fails_too_often_waits
            throttles::a_refused_try_is_written_down
            throttles::registrations_from_a_source_wait
            throttles::hundreds_on_one_address_are_let_in
            table::every_route_answers_each_credential
            table::other_methods_are_not_allowed
            table::head_is_get_without_a_body
            table::unknown_paths_are_not_found
            table::an_empty_id_is_not_found
            table::groups_can_be_left_out
            table::a_service_without_accounts_has_none_of_their_routes
            bodies::what_is_no_json_is_malformed
            bodies::deep_nesting_is_malformed
            bodies::other_content_types_are_not_supported
            bodies::large_bodies_are_refused_after_they_were_sent
            bodies::endless_bodies_are_refused
            bodies::chunked_bodies_are_read
            bodies::slow_bodies_time_out
            bodies::bodies_that_break_off_do_nothing
            bodies::a_key_needs_no_body
            bodies::a_strangers_body_is_not_read
            bodies::a_connection_survives_every_answer
            fields::signing_in_takes_two_fields
            fields::a_key_takes_no_other_fields
            fields::a_change_takes_no_other_fields
            fields::names_have_an_end
            fields::metadata_are_pairs_of_text_with_an_end
            fields::scopes_are_checked
            fields::environments_are_checked
            fields::expiries_are_checked
            bounds::limits_past_their_bounds_are_refused
            credentials::two_credentials_are_refused
            credentials::a_key_comes_in_two_headers
            credentials::what_is_no_credential_opens_nothing
            credentials::a_key_in_the_query_opens_nothing
            credentials::tokens_and_keys_are_not_each_other
            forgeries::a_changed_character_never_reaches_the_store
            forgeries::bad_keys_look_alike
            forgeries::a_stored_hash_opens_nothing
            keys::a_key_looks_the_same_everywhere
            keys::names_are_kept_to_the_letter
            keys::a_change_leaves_the_rest
            keys::anothers_key_does_not_exist
            keys::what_is_no_id_does_not_exist
            keys::answers_are_for_nobodys_cache
            keys::the_last_use_is_shown
            keys::a_revoked_key_stays_in_the_list
            paging::links_lead_through_every_key_once
            paging::a_page_has_fifty_keys
            paging::limits_are_checked
            paging::cursors_cannot_be_made_up
            guard::a_handler_learns_who_holds_the_key
            guard::a_guard_asks_for_a_scope
            guard::a_guard_asks_for_an_environment
            guard::a_guard_asks_for_one_scope_or_another
            environments::a_guard_takes_the_first_environment_unless_it_says
            environments::an_owners_keys_are_managed_together
            addresses::a_key_may_be_used_from_its_addresses_only
            addresses::no_header_counts_unless_its_proxy_is_trusted
            addresses::the_last_use_is_known_by_its_address
            limits::a_key_is_refused_until_it_begins
            limits::a_rate_is_told_and_kept
            limits::several_rates_are_kept_together
            limits::what_costs_more_than_is_ever_there_is_refused
            limits::a_quota_is_told_and_ends
            limits::one_left_is_taken_once
            limits::a_quota_that_cannot_be_asked_for_is_503
            limits::a_quota_that_cannot_be_asked_for_lets_in_where_that_is_set
            old_secrets::an_old_secret_says_until_when
            guard::a_bad_key_is_never_anonymous
            guard::a_forgotten_guard_is_no_open_door
            guard::a_key_ends_to_the_microsecond
            guard::other_methods_do_not_pass_a_guard
            token_guard::a_token_opens_what_is_for_people
            token_guard::a_key_opens_what_is_for_both
            token_guard::bad_tokens_look_alike_to_a_guard
            token_guard::a_guard_takes_no_token_from_the_query
            token_guard::a_disabled_owners_token_opens_nothing
            token_guard::a_token_ends_at_a_guard
            token_guard::a_token_guard_without_a_store_is_503
            token_guard::a_service_without_tokens_takes_none
            key_caller::reading_and_writing_are_two_scopes
            key_caller::a_key_hands_on_no_scope_it_lacks
            key_caller::a_key_makes_no_key_beyond_itself
            key_caller::a_key_manages_its_owners_keys
            key_caller::a_key_may_revoke_itself
            host::a_host_says_who_calls
            host::hosts_owners_do_not_see_each_other
            host::a_host_that_names_nobody_lets_nobody_in
            host::a_prefix_changes_nothing
            ask::a_good_key_is_valid_and_says_what_it_is
            ask::a_bad_key_is_not_valid_and_says_why
            ask::what_is_asked_is_checked
            ask::asking_is_a_use_with_its_cost
            ask::a_batch_is_answered_in_order
            oauth::introspection_says_no_more_than_it_must
            oauth::whoever_presents_a_key_revokes_it
            oauth::a_replaced_secret_revokes_nothing
            oauth::forms_are_checked
            ask::an_outage_is_no_answer
            exchange::a_key_is_exchanged_for_a_token
            exchange::an_exchanged_token_opens_nothing_here
            exchange::a_token_may_do_no_more_than_its_key
            exchange::a_token_ends_with_its_key
            exchange::a_bad_key_is_not_exchanged
            exchange::exchanging_is_a_use
            exchange::what_is_exchanged_is_checked
            exchange::an_exchange_without_a_store_is_no_denial
            exchange::nothing_is_exchanged_unless_set_up
            revocations::what_was_revoked_is_told
            revocations::nothing_new_is_cheap
            revocations::a_position_of_another_journal_is_gone
            revocations::the_beginning_is_a_day_ago
            elsewhere::a_service_elsewhere_hears_of_revocations
            elsewhere::a_service_elsewhere_does_not_guess
            elsewhere::a_service_elsewhere_hears_of_sessions_that_end
            elsewhere::a_service_elsewhere_hears_of_rotations
            explain::every_gate_is_named
            explain::questions_are_checked
            explain::explaining_takes_nothing
            explain::what_is_explained_is_what_happens
            usage::uses_are_shown_by_day
            usage::days_are_checked
            admin::a_role_is_in_force_at_once
            admin::accounts_are_listed
            admin::a_disabled_account_is_shut_out
            admin::nobody_shuts_themself_out
            admin::an_admin_manages_every_key
            audit::a_row_says_who_did_what
            audit::an_owner_sees_their_own_rows
            audit::an_admin_sees_every_row
            audit::rows_are_filtered
            audit::filters_of_the_journal_are_checked
            audit::links_lead_through_the_journal
            audit::the_chain_holds
            audit::a_hosts_owner_has_a_journal
            documents::the_document_has_the_routes_there_are
            documents::pages_find_their_files_from_anywhere
            documents::files_are_sent_as_they_are_taken
            jwks::public_keys_are_published_while_they_verify
            jwks::a_secret_is_never_published
            jwks::a_known_set_is_not_sent_again
            jwks::the_set_is_for_anybody
            jwks::a_service_without_tokens_has_no_set
            state::a_key_is_switched_off_and_on
            state::a_revoked_key_cannot_be_brought_back
            state::an_expired_key_cannot_be_brought_back
            state::a_key_revokes_itself_without_a_scope
            state::current_is_the_key_that_asks
            rotation::two_secrets_work_while_they_overlap
            rotation::without_an_overlap_the_former_secret_ends_at_once
            rotation::the_owner_sees_which_secret_is_used
            rotation::a_rotation_can_be_ended
            rotation::a_rotation_can_be_taken_back
            rotation::one_rotation_at_a_time
            rotation::an_overlap_ends_with_the_key
            rotation::overlaps_are_checked
            rotation::anothers_key_cannot_be_rotated
            ceilings::no_key_gives_wider_scopes
            ceilings::no_key_gives_more_time
            ceilings::no_key_gives_laxer_limits
            ceilings::a_wider_key_is_not_taken_over
            ceilings::a_right_that_was_taken_is_not_handed_on
            lifetimes::lifetimes_are_kept
            lifetimes::times_fit_together
            lifetimes::a_default_past_the_end_of_time_is_refused
            lifetimes::overlaps_are_the_hosts
            lifetimes::an_owner_has_so_many_keys
            filters::a_list_is_narrowed
            filters::filters_are_checked
            filters::links_keep_the_filters
            sessions::signing_in_begins_a_session
            sessions::a_refresh_token_counts_once
            sessions::of_many_refreshes_at_once_one_successor_comes
            sessions::a_replay_ends_the_session
            sessions::refused_refresh_tokens_look_alike
            sessions::signing_out_ends_one_session
            sessions::signing_out_everywhere_ends_all
            sessions::sessions_are_listed_and_ended
            sessions::an_ended_session_is_refused_on_every_node
            sessions::a_token_of_a_session_asks_the_store_nothing
            sessions::a_password_is_changed_by_who_knows_it
            sessions::bodies_about_sessions_are_checked
            sessions::sessions_without_a_store_are_503
            sessions::a_service_without_sessions_has_none_of_their_routes
            recovery::a_password_is_reset_by_a_code_that_was_mailed
            recovery::asking_for_a_reset_tells_nothing
            recovery::bad_codes_look_alike
            recovery::a_weak_password_costs_no_code
            recovery::a_code_counts_once
            recovery::one_address_gets_little_mail
            recovery::a_source_that_asks_too_often_waits
            recovery::a_disabled_account_is_not_reset
            recovery::bodies_about_codes_are_checked
            recovery::a_reset_without_a_store_is_503
            recovery::mail_waits_for_its_server
            recovery::a_service_without_mail_has_none_of_its_routes
            confirmation::an_account_is_made_when_its_address_is_confirmed
            confirmation::registering_tells_nothing_where_addresses_are_confirmed
            confirmation::of_many_confirmations_one_account_comes
            confirmation::confirming_without_a_store_is_503
            bulk::many_keys_are_revoked_by_what_they_have_in_common
            bulk::every_state_can_be_revoked
            bulk::a_bulk_revocation_has_a_criterion
            bulk::an_admin_revokes_the_keys_of_another
            idempotency::a_repeated_creation_makes_one_key
            idempotency::an_idempotency_key_is_for_one_request
            idempotency::a_lost_answer_makes_no_second_key
            idempotency::a_repeated_rotation_makes_one_secret
            idempotency::of_sixteen_repeats_one_makes_the_key
            idempotency::requests_are_forgotten_after_a_day
            idempotency::idempotency_keys_are_checked
            admins::an_admin_sees_everybodys_keys
            admins::an_admin_changes_everybodys_keys
            admins::an_admin_makes_keys_for_others
            admins::roles_are_defined_by_admins
            admins::a_key_holds_roles_that_there_are
            outage::an_outage_is_503_everywhere
            outage::a_guard_without_a_store_is_503
            outage::health_is_not_readiness
            outage::no_single_failure_is_a_verdict
            outage::a_lost_commit_is_said_to_be_unknown
            outage::a_failed_revocation_can_be_tried_again
            outage::a_lost_race_is_run_again
            outage::a_store_that_hangs_holds_up_nobody_else
            outage::a_warm_key_is_served_without_the_store_up_to_the_bound
            races::identities_are_never_mixed
            races::sixteen_revocations_are_one
            races::sixteen_changes_follow_each_other
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __http_cases {
    ($start:expr, $factory:expr; $($room:ident::$case:ident)*) => {$(
        #[test]
        fn $case() {
            $crate::testkit::http::run(stringify!($case), $start, $factory, $crate::testkit::http::$room::$case);
        }
    )*};
}
