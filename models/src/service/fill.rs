//! A fill of the cache that overlaps a revocation never brings back what was revoked.

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::cache::stamps::{Moment, Stamps};

/// One key in a store and in a cache.
struct Model {
    stamps: Stamps,
    /// A database shows a change to whoever reads after it was committed.
    revoked_in_store: AtomicBool,
    /// When it was read, and whether it was revoked then.
    remembered: Mutex<Option<(Moment, bool)>>,
}

impl Model {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            stamps: Stamps::new(1),
            revoked_in_store: AtomicBool::new(false),
            remembered: Mutex::new(None),
        })
    }

    fn fill(&self) {
        let read_at = self.stamps.now();
        let revoked = self.revoked_in_store.load(Ordering::SeqCst);
        *self.remembered.lock().unwrap() = Some((read_at, revoked));
    }

    fn commit(&self) {
        self.revoked_in_store.store(true, Ordering::SeqCst);
    }

    fn strike(&self) {
        self.stamps.strike(self.stamps.slot(0));
    }

    /// Whether what is remembered would let the key in.
    fn is_let_in(&self) -> bool {
        let slot = self.stamps.slot(0);
        match *self.remembered.lock().unwrap() {
            Some((read_at, revoked)) => !revoked && self.stamps.stands(read_at, [slot, slot]),
            None => false,
        }
    }
}

/// Runs fills beside a revocation, and looks once it was acknowledged and once all is over.
fn overlap(fills: usize, revoke: fn(&Model)) {
    loom::model(move || {
        let model = Model::new();
        let filling: Vec<_> = (0..fills)
            .map(|_| {
                let model = Arc::clone(&model);
                thread::spawn(move || model.fill())
            })
            .collect();
        revoke(&model);
        assert!(!model.is_let_in(), "after the acknowledgement");
        for fill in filling {
            fill.join().unwrap();
        }
        assert!(!model.is_let_in(), "after the last fill");
    });
}

#[test]
fn a_fill_beside_a_revocation() {
    overlap(1, |model| {
        model.commit();
        model.strike();
    });
}

#[test]
fn two_fills_beside_a_revocation() {
    overlap(2, |model| {
        model.commit();
        model.strike();
    });
}

#[test]
fn a_fill_beside_a_revocation_that_strikes_everything() {
    overlap(1, |model| {
        model.commit();
        model.stamps.strike_all();
    });
}

/// Two who strike the same slot, of whom only one has committed what matters.
#[test]
fn a_strike_is_not_undone_by_another() {
    loom::model(|| {
        let model = Model::new();
        let other = Arc::clone(&model);
        let other = thread::spawn(move || other.strike());
        model.fill();
        model.commit();
        model.strike();
        assert!(!model.is_let_in());
        other.join().unwrap();
        assert!(!model.is_let_in());
    });
}

/// That the model can fail at all: a strike before the change is committed is too early.
#[test]
#[should_panic(expected = "after the")]
fn a_strike_before_the_commit_is_found_out() {
    overlap(1, |model| {
        model.strike();
        model.commit();
    });
}

/// And so is none at all.
#[test]
#[should_panic(expected = "after the")]
fn no_strike_is_found_out() {
    overlap(1, Model::commit);
}
