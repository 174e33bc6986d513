//! All nodes die at once, while keys are revoked. Nobody promises that nothing is lost then; what is, is counted.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Plan;
use crate::figure::Figure;
use crate::harness::access::service::Service;
use crate::harness::galera::{Galera, NODES};
use crate::harness::person::{Key, Person, verdict};
use crate::run::Run;

/// How many revoke keys meanwhile.
const WRITERS: usize = 4;

/// What was acknowledged.
#[derive(Debug, Default)]
struct Acknowledged {
    made: Vec<Key>,
    revoked: Vec<Key>,
}

/// Kills all nodes so often, brings them back, and compares.
#[must_use]
pub(super) fn run(run: &Run, plan: &Plan, service: &Service, galera: &mut Galera) -> Vec<Figure> {
    if plan.crashes == 0 {
        return Vec::new();
    }
    let (_, person) = service.register(0, &service.address());
    let mut random = run.random("crash");
    let (mut crashes, mut acknowledged) = (0, 0);
    let (mut lost_keys, mut lost_revocations, mut undecided) = (0, 0, 0);
    for _ in 0..plan.crashes {
        // With a limit, it leaves its share to what follows.
        if run.elapsed() >= run.time(Duration::MAX) / 8 * 5 {
            break;
        }
        let known = write_until(service, &person, galera, random.u64(1_000..3_000));
        galera.recover();
        crashes += 1;
        for server in service.addresses() {
            let is_back =
                || verdict(server, &known.made[0].text).is_ok_and(|said| said != "unavailable");
            let start = Instant::now();
            while !is_back() && start.elapsed() < Duration::from_secs(30) {
                std::thread::sleep(Duration::from_millis(50));
            }
            let ask = |key: &Key| verdict(server, &key.text).unwrap_or_default();
            for said in known.revoked.iter().map(ask) {
                match said.as_str() {
                    "key_revoked" => {}
                    "granted" => lost_revocations += 1,
                    "unavailable" | "overloaded" | "" => undecided += 1,
                    _ => lost_keys += 1,
                }
            }
            for said in known.made.iter().map(ask) {
                match said.as_str() {
                    "granted" | "key_revoked" => {}
                    "unavailable" | "overloaded" | "" => undecided += 1,
                    _ => lost_keys += 1,
                }
            }
        }
        acknowledged += known.made.len() + known.revoked.len();
        run.progress(|| format!("{crashes} times all nodes have died"));
    }
    vec![
        Figure::plain("times all nodes died", crashes),
        Figure::plain("changes acknowledged before", acknowledged),
        Figure::plain(
            "of them keys that are not known any more, by both servers",
            lost_keys,
        ),
        Figure::plain(
            "of them keys that are not revoked any more, by both servers",
            lost_revocations,
        ),
        Figure::never(
            "keys of which a server said nothing half a minute after",
            undecided,
        ),
    ]
}

/// Makes keys and revokes every second one, until all nodes are killed after so many milliseconds.
fn write_until(
    service: &Service,
    person: &Person,
    galera: &mut Galera,
    millis: u64,
) -> Acknowledged {
    let known = Mutex::new(Acknowledged::default());
    let server = service.nodes[0].address;
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for turn in 0.. {
                    let made = person.ask(server, "POST", "/keys", "");
                    let Some(made) = made.ok().filter(|made| made.status == 201) else {
                        break;
                    };
                    let key = Key {
                        id: made.text("id"),
                        text: made.text("api_key"),
                    };
                    if turn % 2 == 0 {
                        known.lock().unwrap().made.push(key);
                        continue;
                    }
                    let target = format!("/keys/{}/revoke", key.id);
                    let revoked = person.ask(server, "POST", &target, "");
                    if revoked.is_ok_and(|answer| answer.status == 200) {
                        known.lock().unwrap().revoked.push(key);
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(millis));
        for node in 0..NODES {
            galera.kill(node);
        }
    });
    known.into_inner().unwrap()
}
