//! A node that cannot read the journal: it loses its database in the moment in which a key is revoked elsewhere.

use std::time::{Duration, Instant};

use super::Plan;
use crate::figure::Figure;
use crate::harness::access::found::Found;
use crate::harness::access::service::Service;
use crate::harness::access::worker::{Outcome, ask, keep};
use crate::harness::connection::Connection;
use crate::harness::forwarder::{Forwarder, Way};
use crate::harness::history::{Change, History};
use crate::harness::mariadbd::MariaDb;
use crate::harness::person::{Key, Person};
use crate::run::Run;

/// The node that acknowledges, and the one whose way is cut.
const HOME: usize = 0;
const BLIND: usize = 2;
const SCOPES: &str = r#"{"scopes": ["reports:read"]}"#;

/// How the database is taken from the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The connections of one node break, and no new one is made.
    Closed,
    /// Nothing that one node sends arrives, nor anything for it.
    Silent,
    /// The database stands still.
    Paused,
}

/// What was seen besides the answers.
#[derive(Debug, Default)]
struct Seen {
    found: Found,
    rounds: u64,
    /// Checks that were let in after the bound, on the node that saw nothing of the revocation.
    longest: Duration,
    /// Rounds in which that node never said that it does not know.
    never_unsure: u64,
    /// Rounds after which a node did not refuse the key when it had its database again.
    not_refused: u64,
}

/// Cuts the database off in each of the ways.
#[must_use]
pub(super) fn run(
    run: &Run,
    plan: &Plan,
    service: &Service,
    (way, database): (&Forwarder, &MariaDb),
) -> Vec<Figure> {
    let (_, person) = service.register(HOME, "blind@example.com");
    let mut seen = Seen::default();
    for _ in 0..plan.cuts {
        for trouble in [Trouble::Closed, Trouble::Silent, Trouble::Paused] {
            if run.is_over() {
                break;
            }
            run.progress(|| format!("{} rounds without a journal, {trouble:?}", seen.rounds));
            round(plan, service, &person, (way, database), trouble, &mut seen);
        }
    }
    let name = |what: &str| format!("a node without its database: {what}");
    let bound = format!("≤ {} s", plan.max_staleness.as_secs_f32());
    vec![
        Figure::plain(name("revocations it could not read"), seen.rounds),
        Figure::goal(
            name("longest time after the acknowledgement that it let somebody in"),
            format!("{} ms", seen.longest.as_millis()),
            bound,
            seen.longest <= plan.max_staleness,
        ),
        Figure::never(
            name("answers older than the hard bound"),
            seen.found.past_bound,
        ),
        Figure::never(
            name("rounds in which it did not answer 503 after the bound"),
            seen.never_unsure,
        ),
        Figure::never(
            name("older answers of the node that acknowledged"),
            seen.found.stale_at_home,
        ),
        Figure::never(
            name("nodes that did not refuse the key afterwards"),
            seen.not_refused,
        ),
        Figure::never(
            name("answers that no state explains, or of another kind"),
            seen.found.invented + seen.found.odd,
        ),
    ]
}

fn round(
    plan: &Plan,
    service: &Service,
    person: &Person,
    (way, database): (&Forwarder, &MariaDb),
    trouble: Trouble,
    seen: &mut Seen,
) {
    let made = person
        .ask(service.nodes[HOME].address, "POST", "/keys", SCOPES)
        .unwrap();
    let key = Key {
        id: made.text("id"),
        text: made.text("api_key"),
    };
    service.note(&key.text);
    let mut nodes: Vec<_> = service
        .addresses()
        .into_iter()
        .map(Connection::to)
        .collect();
    for (node, connection) in nodes.iter_mut().enumerate() {
        assert!(
            settles(service, connection, node, &key, true),
            "never let in"
        );
    }

    match trouble {
        Trouble::Closed => way.set(Way::Closed),
        Trouble::Silent => way.set(Way::Silent),
        Trouble::Paused => {}
    }
    let mut history = History::beginning(true);
    let begin = service.begun.elapsed();
    let target = format!("/keys/{}/revoke", key.id);
    let revoked = person.ask(service.nodes[HOME].address, "POST", &target, "");
    if trouble == Trouble::Paused {
        database.signal("STOP");
    }
    let acknowledged = revoked.is_ok_and(|answer| answer.status == 200);
    assert!(acknowledged, "a revocation with the database there");
    let acknowledged = service.begun.elapsed();
    history.changes.push(Change {
        begin,
        acknowledged: Some(acknowledged),
        opens: false,
    });

    let mut unsure = false;
    while service.begun.elapsed() < acknowledged + plan.max_staleness + Duration::from_millis(700) {
        for node in [HOME, BLIND] {
            let outcome = ask(service.begun, &mut nodes[node], node, &key);
            unsure |= node == BLIND && matches!(outcome, Outcome::Undecided);
            keep(&mut history, &mut seen.found, &outcome);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // Paused, the node may have read the revocation just before; then it knows, and refuses for as long as it believes.
    let refused = history
        .checks
        .iter()
        .any(|check| check.node == BLIND && !check.granted);
    let told = unsure || (trouble == Trouble::Paused && refused);
    seen.never_unsure += u64::from(!told);

    way.set(Way::Open);
    if trouble == Trouble::Paused {
        database.signal("CONT");
    }
    for (node, connection) in nodes.iter_mut().enumerate() {
        let is_refused = settles(service, connection, node, &key, false);
        seen.not_refused += u64::from(!is_refused);
    }
    let mut found = Found::default();
    found.judge(&history, HOME, plan.max_staleness);
    seen.longest = seen.longest.max(found.longest);
    seen.found.add(&found);
    seen.rounds += 1;
}

/// Waits until a node says so.
fn settles(
    service: &Service,
    connection: &mut Connection,
    node: usize,
    key: &Key,
    granted: bool,
) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        match ask(service.begun, connection, node, key) {
            Outcome::Decided(check) if check.granted == granted => return true,
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    false
}
