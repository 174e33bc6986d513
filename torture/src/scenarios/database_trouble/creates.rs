//! Keys that are made while commits are cut: whoever repeats with the same `Idempotency-Key` has one key in the end.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::Plan;
use super::world::World;
use crate::figure::Figure;
use crate::harness::client;
use crate::harness::crowd::request;
use crate::harness::proxy::Trouble;
use crate::run::Run;

/// So many of 1,000 commits are cut.
const CUT: u16 = 400;
/// So many people make keys at once.
const PEOPLE: usize = 4;
/// So many are made even when the time of the run is over.
const LEAST: usize = 50;
/// So often one of them tries.
const TRIES: usize = 40;

/// What became of the requests.
#[derive(Debug, Default)]
struct Made {
    /// The id that each name was answered with.
    ids: BTreeMap<String, String>,
    /// How many names were asked for.
    begun: usize,
    /// Requests that were sent again.
    repeated: u64,
    /// Requests whose client did not wait for the answer.
    left: u64,
    /// Answers that were not the first for their name, as the server itself says.
    replayed: u64,
    unexpected: u64,
}

pub(super) fn figures(world: &World, plan: &Plan, run: &Run) -> Vec<Figure> {
    let before = world.proxy.cuts();
    let seed = run.random("creates").u64(..);
    world.proxy.make(Trouble::Commits(CUT));
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let made = Mutex::new(Made::default());
    std::thread::scope(|scope| {
        let mut people = Vec::new();
        for person in 0..PEOPLE {
            let (next, over, made) = (&next, &over, &made);
            people.push(scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let over = over.load(Ordering::Relaxed) && number >= LEAST;
                    if over || number >= plan.creates {
                        return;
                    }
                    let name = format!("create-{number}");
                    let random = fastrand::Rng::with_seed(
                        seed.wrapping_add(u64::try_from(number).unwrap_or(0)),
                    );
                    make(world, person % world.nodes.len(), &name, random, made);
                }
            }));
        }
        while people.iter().any(|person| !person.is_finished()) {
            run.progress(|| {
                format!(
                    "{} keys made while commits are cut",
                    next.load(Ordering::Relaxed)
                )
            });
            over.store(run.is_over(), Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    world.proxy.make(Trouble::None);
    let cuts = world.proxy.cuts() - before;
    let made = made.into_inner().unwrap();
    let live = live(world);
    let (mut several, mut orphaned, mut lost) = (0, 0, 0);
    for (name, ids) in &live {
        several += u64::from(ids.len() > 1);
        orphaned += u64::from(
            made.ids
                .get(name)
                .is_none_or(|id| ids.iter().any(|live| live != id)),
        );
    }
    for name in made.ids.keys() {
        lost += u64::from(!live.contains_key(name));
    }
    let unfinished = made.begun.saturating_sub(made.ids.len());
    vec![
        Figure::plain(
            "keys made with an Idempotency-Key while commits were cut",
            made.ids.len(),
        ),
        Figure::goal("commits that were cut", cuts, "some", cuts > 0),
        Figure::plain("requests that were sent again", made.repeated),
        Figure::plain(
            "requests whose client did not wait for the answer",
            made.left,
        ),
        Figure::plain("answers to a repeat, without a text", made.replayed),
        Figure::never("Idempotency-Keys with more than one live key", several),
        Figure::never("live keys of which no answer told", orphaned),
        Figure::never("keys that were acknowledged and are not there", lost),
        Figure::never(
            "requests that never got an answer",
            u64::try_from(unfinished).unwrap_or(u64::MAX),
        ),
        Figure::never(
            "answers other than 200, 201 and 503 to them",
            made.unexpected,
        ),
    ]
}

/// Asks for a key until it is there, on one node and the other. Before that, the client may have gone away some times.
fn make(world: &World, first: usize, name: &str, mut random: fastrand::Rng, made: &Mutex<Made>) {
    let body = json!({ "name": name }).to_string();
    let headers = [
        ("Authorization", &*world.owner.bearer),
        ("Idempotency-Key", name),
    ];
    made.lock().unwrap().begun += 1;
    for attempt in 0..TRIES {
        let address = world.nodes[(first + attempt) % world.nodes.len()].address();
        made.lock().unwrap().repeated += u64::from(attempt > 0);
        if random.u8(..3) == 0 {
            let asked = leave(
                address,
                &request("POST", "/keys", &headers, &body),
                &mut random,
            );
            made.lock().unwrap().left += u64::from(asked.is_ok());
            continue;
        }
        let answer = client::try_send(address, "POST", "/keys", &headers, &body);
        let mut made = made.lock().unwrap();
        match answer {
            Ok(answer) if [200, 201].contains(&answer.status) => {
                made.replayed += u64::from(answer.header("Idempotency-Replayed").is_some());
                if answer.status == 201 {
                    world.remember(&answer.text("api_key"));
                }
                made.ids.insert(name.to_owned(), answer.text("id"));
                return;
            }
            Ok(answer) if answer.status == 503 => {}
            Ok(_) | Err(_) => made.unexpected += 1,
        }
    }
}

/// Asks, and is gone before the answer comes, or just then.
fn leave(address: SocketAddr, request: &[u8], random: &mut fastrand::Rng) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request)?;
    std::thread::sleep(Duration::from_millis(random.u64(..40)));
    Ok(())
}

/// The ids of the keys that live, by name.
fn live(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut live = BTreeMap::<String, Vec<String>>::new();
    let mut page = "?limit=100".to_owned();
    loop {
        let address = world.nodes[0].address();
        let answer = world
            .owner
            .ask(address, "GET", &format!("/keys{page}"), "")
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        for key in answer.json().as_array().unwrap() {
            let text = |field: &str| key[field].as_str().map(str::to_owned);
            let name = text("name").filter(|name| name.starts_with("create-"));
            if let (Some(name), Some(id), Some(false)) =
                (name, text("id"), key["revoked"].as_bool())
            {
                live.entry(name).or_default().push(id);
            }
        }
        // `<?cursor=…>; rel="next"` is relative to the list.
        let next = answer
            .header("link")
            .and_then(|link| Some(link.split_once('<')?.1.split_once('>')?.0.to_owned()));
        match next {
            Some(next) => page = next,
            None => return live,
        }
    }
}
