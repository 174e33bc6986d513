//! How long a revoked key goes on passing: not at all on the node that revoked it, and for at most one reading of the
//! journal on another.

use std::time::Duration;

use criterion::Criterion;
use sakms_benches::figure::{Goal, Unit};
use sakms_benches::run::Run;
use sakms_benches::timing::{Spread, now, quantile};
use sakms_benches::world::master_key;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::secret::PresentedKey;
use sakms_core::service::{Caller, NewKey, Requirement, Sakms};
use sakms_core::store::{KeyStore, SqliteStore};
use sakms_core::testkit::mariadb::Database;
use tokio::runtime::Runtime;

/// How often the other node presents the key.
const PRESENTED_EVERY: Duration = Duration::from_millis(1);
/// A node reads the journal this often when nothing is said.
const FOLLOWED_EVERY: Duration = Duration::from_millis(250);

pub(crate) fn measure(run: &Run, _: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.db");
        let open = || SqliteStore::open(file.to_str().unwrap());
        let nodes = [node(open().await.unwrap()), node(open().await.unwrap())];
        spread_of_news(run, "sqlite", nodes).await;

        if let Some(database) = Database::create().await {
            let nodes = [node(database.store().await), node(database.store().await)];
            spread_of_news(run, "mariadb", nodes).await;
        }
    });
}

/// One of two processes, as far as the store can tell: nothing is shared but the database.
fn node(store: impl KeyStore) -> Sakms {
    // What the proof costs is not what is measured.
    let hashing = HashPoolConfig::default().params(Argon2Params::insecure_fast());
    Sakms::builder(store, master_key())
        .hashing(hashing)
        .build()
        .unwrap()
}

async fn spread_of_news(run: &Run, name: &str, [here, there]: [Sakms; 2]) {
    let ada = Caller::owner("ada".parse().unwrap());
    let any = Requirement::any_key();
    let (mut delays, mut still_passed_here) = (Vec::new(), 0.0);
    for round in 0..run.rounds {
        let created = here.create_key(&ada, NewKey::default()).await.unwrap();
        let text = PresentedKey::new(created.text.expose().to_owned());
        for node in [&here, &there] {
            // Twice: the second time it is remembered.
            for _ in 0..2 {
                assert!(node.verify(&text, &any).await.unwrap().is_granted());
            }
        }
        tokio::time::sleep(any_phase(round)).await;

        here.revoke_key(&ada, created.key.id).await.unwrap();
        let acknowledged = now();
        if here.verify(&text, &any).await.unwrap().is_granted() {
            still_passed_here += 1.0;
        }
        let mut last_passed = None;
        while there.verify(&text, &any).await.unwrap().is_granted() {
            last_passed = Some(acknowledged.elapsed());
            tokio::time::sleep(PRESENTED_EVERY).await;
        }
        // What was seen is that it passed until then at least, and no longer than now.
        let delay = last_passed.map_or(Duration::ZERO, |_| acknowledged.elapsed());
        delays.push(delay.as_secs_f64());
    }
    delays.sort_by(f64::total_cmp);
    let none = Some(Goal::AtMost(0.0));
    let tell = |what: &str, unit, value, goal| {
        run.tell(
            &format!("revoke/{name}-{what}"),
            unit,
            Spread::single(value),
            goal,
        );
    };
    tell(
        "passed-on-the-same-node",
        Unit::Count,
        still_passed_here,
        none,
    );
    tell("other-node-p50", Unit::Seconds, quantile(&delays, 50), None);
    tell("other-node-p99", Unit::Seconds, quantile(&delays, 99), None);
    tell(
        "other-node-longest",
        Unit::Seconds,
        quantile(&delays, 100),
        Some(Goal::AtMost(1.0)),
    );
}

/// A wait that puts the revocation anywhere between two readings of the journal: a round ends with a reading, so without
/// it all of them would begin right after one.
fn any_phase(round: usize) -> Duration {
    let part = u32::try_from(round % 1_000).unwrap_or(0) * 618 % 1_000;
    FOLLOWED_EVERY * part / 1_000
}
