//! What is measured, published through the facade of the crate `metrics` where the feature of that name is on.
//!
//! Nothing here is on the way of a warm check: what that counts is summed up and published from time to time. What is
//! measured one by one (a hash, a call of the store) takes thousands of times as long as measuring it.

#![cfg_attr(
    not(feature = "metrics"),
    expect(
        unused_variables,
        reason = "without the facade there is nobody to tell"
    )
)]

use std::time::Duration;

use crate::hash::Share;
use crate::service::Statistics;

/// How long an operation of the store took, with its second attempts, and whether it failed.
#[cfg(any(feature = "mariadb", feature = "sqlite"))]
pub(crate) fn store_time(operation: &'static str, took: Duration, failed: bool) {
    #[cfg(feature = "metrics")]
    {
        let outcome = if failed { "error" } else { "ok" };
        metrics::histogram!("sakms_store_seconds", "operation" => operation, "outcome" => outcome)
            .record(took);
    }
}

/// How long a hash took, the waiting for a thread aside.
pub(crate) fn hash_time(share: Share, took: Duration) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("sakms_hash_seconds", "share" => share.name()).record(took);
}

/// The sums and the state.
pub(crate) fn publish(figures: &Statistics) {
    #[cfg(feature = "metrics")]
    facade::publish(figures);
}

#[cfg(feature = "metrics")]
mod facade {
    use std::sync::Once;

    use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

    use super::Share;
    use crate::service::Statistics;

    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a float; nobody reads the last digits of 2^53"
    )]
    pub(super) fn publish(figures: &Statistics) {
        static DESCRIBED: Once = Once::new();
        DESCRIBED.call_once(describe);
        let Statistics {
            verdicts,
            cache,
            journal,
            ..
        } = figures;
        for (verdict, count) in verdicts.by_name() {
            counter!("sakms_verdicts_total", "verdict" => verdict).absolute(count);
        }
        for (found, count) in [
            ("key", cache.known_keys),
            ("denial", cache.known_denials),
            ("nothing", cache.misses),
        ] {
            counter!("sakms_cache_lookups_total", "found" => found).absolute(count);
        }
        for (what, entries, evicted) in [
            ("keys", cache.keys, cache.evictions.keys),
            ("denials", cache.denials, cache.evictions.denials),
        ] {
            gauge!("sakms_cache_entries", "cache" => what).set(entries as f64);
            counter!("sakms_cache_evictions_total", "cache" => what).absolute(evicted);
        }
        let loads = [
            (Share::Keys, figures.key_hashing),
            (Share::Passwords, figures.password_hashing),
        ];
        for (share, load) in loads {
            gauge!("sakms_hash_queue", "share" => share.name()).set(load.waiting as f64);
            counter!("sakms_hash_shed_total", "share" => share.name()).absolute(load.shed);
        }
        if let (Some(position), Some(lag)) = (journal.position, journal.lag) {
            gauge!("sakms_journal_position").set(position.get() as f64);
            gauge!("sakms_journal_lag_seconds").set(lag.as_secs_f64());
        }
        gauge!("sakms_journal_trusted").set(f64::from(u8::from(journal.trusted)));
        counter!("sakms_use_flush_failures_total").absolute(figures.flush_failures);
        counter!("sakms_refusals_written_total").absolute(figures.refusals.written);
        counter!("sakms_refusals_left_out_total").absolute(figures.refusals.left_out);
        counter!("sakms_refusal_failures_total").absolute(figures.refusals.failures);
        counter!("sakms_quota_unchecked_total").absolute(figures.quota_unchecked);
        for (by, count) in [
            ("account", figures.throttled.account),
            ("source", figures.throttled.source),
            ("registration", figures.throttled.registration),
            ("recovery", figures.throttled.recovery),
            ("mail", figures.throttled.mail),
        ] {
            counter!("sakms_throttled_total", "by" => by).absolute(count);
        }
        for (outcome, count) in [
            ("sent", figures.mail.sent),
            ("retried", figures.mail.retried),
            ("failed", figures.mail.failed),
            ("refused", figures.mail.refused),
        ] {
            counter!("sakms_mail_total", "outcome" => outcome).absolute(count);
        }
        gauge!("sakms_mail_queue").set(figures.mail.waiting as f64);
        counter!("sakms_throttle_store_failures_total").absolute(figures.throttled.not_shared);
    }

    fn describe() {
        describe_counter!(
            "sakms_verdicts_total",
            "Checks of keys by what they came to."
        );
        describe_counter!(
            "sakms_cache_lookups_total",
            "Checks by what was known of the text: that it is a key, that it is none, or nothing."
        );
        describe_counter!(
            "sakms_cache_evictions_total",
            "Entries that had to make room."
        );
        describe_gauge!("sakms_cache_entries", "Entries that are remembered.");
        describe_gauge!(
            "sakms_hash_queue",
            "Callers who wait for a hashing thread, by share."
        );
        describe_counter!(
            "sakms_hash_shed_total",
            "Callers who were sent away because too many waited, or they had waited too long."
        );
        describe_histogram!(
            "sakms_hash_seconds",
            Unit::Seconds,
            "How long a hash took, the waiting aside."
        );
        describe_histogram!(
            "sakms_store_seconds",
            Unit::Seconds,
            "How long an operation of the store took, with its second attempts."
        );
        describe_gauge!(
            "sakms_journal_position",
            "The last row of the journal that was read."
        );
        describe_gauge!(
            "sakms_journal_lag_seconds",
            Unit::Seconds,
            "How long ago the last complete reading of the journal began."
        );
        describe_gauge!(
            "sakms_journal_trusted",
            "1 while what is remembered of keys is believed, 0 while every check reads the store."
        );
        describe_counter!(
            "sakms_refusals_written_total",
            "Entries about refused attempts that were written into the journal."
        );
        describe_counter!(
            "sakms_refusals_left_out_total",
            "Refused attempts without an entry of their own, because too many others had one."
        );
        describe_counter!(
            "sakms_refusal_failures_total",
            "Times that such an entry could not be written. It was kept and tried again."
        );
        describe_counter!(
            "sakms_use_flush_failures_total",
            "Times that use counts could not be stored. They were kept and tried again."
        );
        describe_counter!(
            "sakms_throttled_total",
            "Sign-ins, registrations and resets that were told to wait, and mail that was not sent, by what there was too much of."
        );
        describe_counter!(
            "sakms_mail_total",
            "Messages by what became of them; one that was retried may be sent yet."
        );
        describe_gauge!("sakms_mail_queue", "Messages that wait to be sent.");
        describe_counter!(
            "sakms_throttle_store_failures_total",
            "Times that the store of failed sign-ins was away. The node then counts for itself."
        );
        describe_counter!(
            "sakms_quota_unchecked_total",
            "Keys that were let in though their quota could not be asked for."
        );
    }
}
