//! Both adapters side by side. Here, because one of the two has to know the other for it.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

#[path = "../../sakms-axum/tests/common/mod.rs"]
mod axum_app;

use sakms_core::store::MemoryStore;
use sakms_core::testkit::http::corpus::{self, Replay, Scenario};
use sakms_core::testkit::store::Fixture;

async fn memory() -> Option<Fixture> {
    Some(Fixture::full(MemoryStore::new()))
}

/// Answer by answer, also where the record leaves something open.
#[test]
fn both_give_the_same_answers() {
    let axum = corpus::replay(axum_app::start, memory).unwrap();
    let actix = corpus::replay(common::start, memory).unwrap();
    assert_eq!(axum.len(), actix.len());
    let pairs = actix.iter().zip(&axum);
    let differences: Vec<_> = pairs
        .flat_map(|(actix, axum)| actix.differences_from(axum))
        .collect();
    let text = differences.concat();
    assert!(text.is_empty(), "axum (-) and actix (+) differ:\n{text}");
}

/// What the servers decide and not the adapters is on record for each of them, so that a change is noticed. What they do
/// alike belongs into the corpus. `UPDATE_SNAPSHOT=1` writes the two files.
#[test]
fn the_servers_differ_as_it_is_on_record() {
    let axum_file = Scenario::parse("servers", include_str!("servers/axum.txt"));
    let actix_file = Scenario::parse("servers", include_str!("servers/actix.txt"));
    assert_eq!(
        axum_file.questions(),
        actix_file.questions(),
        "the two files do not ask the same"
    );
    let axum = corpus::play(&axum_file, axum_app::start, memory).unwrap();
    let actix = corpus::play(&actix_file, common::start, memory).unwrap();
    assert_eq!(
        actix.differs_throughout(&axum),
        Ok(()),
        "no difference any more"
    );
    if std::env::var_os("UPDATE_SNAPSHOT").is_some() {
        write("axum", &axum);
        write("actix", &actix);
        return;
    }
    let changed = [axum.differences(), actix.differences()].concat().concat();
    assert!(changed.is_empty(), "a server changed its ways:\n{changed}");
}

fn write(server: &str, replay: &Replay) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers");
    std::fs::write(format!("{folder}/{server}.txt"), replay.recorded()).unwrap();
}
