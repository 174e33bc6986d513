//! Requests, good, bad and hostile, with the answers to them on record: to the byte, over real sockets.
//!
//! Time stands still and every id and secret follows from the title of its step, so that each adapter over each store gives
//! the same bytes. Nothing is left aside but the `Date` and the order of headers of different names. Two adapters that
//! both agree with the record agree with each other.
//!
//! A line in an adapter's test file plays all of it: [`http_corpus!`](crate::http_corpus).
//!
//! # A scenario
//! One file is one scenario: steps that follow each other on a service of their own. A step is a connection: what is sent
//! on it, and everything that comes back until the server closes it, so the last request of a step says
//! `Connection: close` unless the server closes without being asked.
//!
//! ```text
//! # A comment.
//! @service body limit 100
//!
//! == A title that no other step of the file has
//! @user ada
//! > POST /keys HTTP/1.1
//! > Host: sakms.example
//! > Authorization: Bearer {{ada.token}}
//! > Content-Type: application/json
//! > Content-Length: {{length}}
//! > Connection: close
//! >
//! >> {"name":"laptop"}
//! < HTTP/1.1 201 Created
//! ...
//! @take laptop = json /id
//! ```
//!
//! | a line | is |
//! | --- | --- |
//! | `> text` | sent with CR and LF behind it |
//! | `>> text` | sent as it is |
//! | `~ answer` | waits for the next answer (100 is one) before more is sent |
//! | `< text` | the status line and the headers of an answer on record, in alphabetical order; `<` ends them |
//! | `<< text` | its body, a line at a time |
//! | `<# ...` | length and digest of a long body |
//! | `<! ...` | what is no answer |
//! | `@take NAME = json /POINTER` | a text in the JSON of the last answer |
//! | `@take NAME = cursor` | the cursor in the link to the next page |
//!
//! In every text `\n`, `\r`, `\t`, `\0`, `\\`, `\{` and `\xHH` are one byte each, and these stand for something else:
//!
//! | placeholder | is |
//! | --- | --- |
//! | `{{length}}` | the length of the body of this request |
//! | `{{'text' * 7000}}` | the text that often |
//! | `{{NAME}}` | what an action or `@take` has called so; `{{version}}`, `{{password}}` and `{{kid}}` are there from the start |
//! | `{{NAME:CHANGE}}` | the same with another last character (`flip`), without it (`cut`), in capitals (`upper`), percent-encoded (`percent`); the `header`, `claims` or `signature` of a token |
//! | `{{any}}` | anything, in an answer on record |
//!
//! | an action, before what is sent | does |
//! | --- | --- |
//! | `@user ada` | somebody registers and signs in: `ada.id`, `ada.token` |
//! | `@admin root` | the same, with the role of an admin |
//! | `@key laptop of ada {"scopes":["a:b"]}` | makes a key of hers: `laptop.id`, `laptop.key` |
//! | `@mint stray live`, `@mint stray live like laptop.key` | a text with a right tag: of an unknown id, or with another secret |
//! | `@let NAME = text`, `@base64 ...`, `@signature ...` | a name for the text, for its base64url, or for its signature by the service's token key |
//! | `@advance 2h` | moves the clock (`us`, `ms`, `s`, `h`); each step moves it by a millisecond |
//! | `@disable ada`, `@enable ada`, `@flush` | what no route offers |
//! | `@mail code to ada@example.com` | has mail sent, and takes the code that was sent there last |
//! | `@fail unavailable`, `@fail stale in update`, `@heal` | how the store fails from now on ([`Faults`](crate::testkit::faults::Faults)): `unavailable`, `read_only`, `corrupt`, `internal`, `stale`, or `answer_lost` after it was done |
//!
//! | a setting, before the first step | the service |
//! | --- | --- |
//! | `@service without accounts` | has none, and no tokens |
//! | `@service signs with ed25519` | signs its tokens with that, and not with a secret |
//! | `@service with sessions` | has those, refresh tokens, and mail |
//! | `@service confirms addresses` | has sessions and mail, and makes no account before its address is confirmed |
//! | `@service tokens in headers alone` | takes none in the query |
//! | `@service body limit 100`, `@service body time 300ms` | takes less |
//! | `@service groups keys meta` | has these routes alone |

mod action;
mod player;
mod replay;
mod scenario;
mod text;
mod wire;

use std::io::Write as _;

pub use replay::Replay;
pub use scenario::Scenario;

use super::{Server, Stage, on_stage};
use crate::http::Api;
use crate::testkit::store::Fixture;

/// Fewer requests than these are not the corpus.
const LEAST: usize = 200;

macro_rules! files {
    ($($(#[$attribute:meta])* $name:literal)*) => {
        &[$($(#[$attribute])* ($name, include_str!(concat!($name, ".txt"))),)*]
    };
}

/// Every file by its name.
const FILES: &[(&str, &str)] = files! {
    "flow"
    "methods"
    "paths"
    "ids"
    "credentials"
    "forgeries"
    "tokens"
    "throttles"
    "jwks"
    "token_guard"
    "jwks_of_a_secret"
    "query_tokens"
    "query_tokens_refused"
    "json"
    "types"
    "sizes"
    "fields"
    "accounts"
    "sessions"
    "recovery"
    "confirmation"
    "paging"
    "managing"
    "guard"
    "environments"
    "host"
    "headers"
    "connections"
    "outage"
    "asking"
    "exchange"
    "admins"
    "without_accounts"
    "groups"
    #[cfg(feature = "docs-ui")]
    "documents"
};

/// Every scenario there is.
///
/// # Panics
/// When a file is not of the form it should be.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    let parse = |(name, text): &(&str, &str)| Scenario::parse(name, text);
    FILES.iter().map(parse).collect()
}

/// Plays every scenario, each on a store of its own; `None` when there is no such store here.
pub fn replay<S: Future<Output = Server> + 'static>(
    start: impl Fn(Api) -> S + Clone + 'static,
    factory: impl AsyncFn() -> Option<Fixture>,
) -> Option<Vec<Replay>> {
    let scenarios = scenarios();
    let play = |scenario: &Scenario| play(scenario, start.clone(), &factory);
    scenarios.iter().map(play).collect()
}

/// Plays one scenario, on a store of its own; `None` when there is no such store here.
pub fn play<S: Future<Output = Server> + 'static>(
    scenario: &Scenario,
    start: impl Fn(Api) -> S + 'static,
    factory: impl AsyncFnOnce() -> Option<Fixture>,
) -> Option<Replay> {
    let case = async |stage: &Stage| scenario.replay(stage).await;
    on_stage(scenario.name(), start, factory, case)
}

/// Compares what was played with the record, and says how much that was.
///
/// # Panics
/// When an answer is not the one on record, or when a part of the corpus was not played.
pub fn check(replays: &[Replay]) {
    let differences: Vec<_> = replays.iter().flat_map(Replay::differences).collect();
    let requests: usize = replays.iter().map(Replay::requests).sum();
    // Harnesses swallow what a test that passes prints; where even stderr is closed, there is nobody to tell.
    let line = format!(
        "{requests} requests were replayed in {} scenarios\n",
        replays.len()
    );
    let _ = std::io::stderr().write_all(line.as_bytes());
    assert_eq!(replays.len(), FILES.len(), "a scenario was not played");
    assert!(
        requests >= LEAST,
        "{requests} requests are fewer than {LEAST}"
    );
    assert!(
        differences.is_empty(),
        "{} answers are not those on record (-):\n{}",
        differences.len(),
        differences.concat()
    );
}

/// Makes a test that plays the [`corpus`](crate::testkit::http::corpus) and compares every answer with the record.
///
/// `start` and `factory` are those of [`http_suite!`](crate::http_suite).
///
/// ```
/// # use sakms_core::http::Api;
/// # use sakms_core::store::MemoryStore;
/// # use sakms_core::testkit::http::Server;
/// # use sakms_core::testkit::store::Fixture;
/// # use tokio::net::TcpListener;
/// # async fn serve(_: TcpListener, _: Api) {}
/// # async fn start(api: Api) -> Server {
/// #     let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
/// #     Server::of_task(listener.local_addr().unwrap(), tokio::spawn(serve(listener, api)))
/// # }
/// # async fn factory() -> Option<Fixture> {
/// #     Some(Fixture::full(MemoryStore::new()))
/// # }
/// sakms_core::http_corpus!(start, factory);
/// ```
#[macro_export]
macro_rules! http_corpus {
    ($start:expr, $factory:expr) => {
        #[test]
        fn the_corpus_gets_the_answers_on_record() {
            if let Some(replays) = $crate::testkit::http::corpus::replay($start, $factory) {
                $crate::testkit::http::corpus::check(&replays);
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Route, routes};

    #[test]
    fn every_file_is_a_scenario() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/testkit/http/corpus");
        let mut found = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                let name = path.file_stem().unwrap().to_str().unwrap();
                let listed = include_str!("mod.rs").contains(&format!("    \"{name}\"\n"));
                assert!(listed, "{name}.txt is not in FILES");
                found += 1;
            }
        }
        assert!(found >= FILES.len());
    }

    /// Whether this is a request for the route: `POST /keys/{{laptop.id}}/revoke HTTP/1.1`.
    fn asks_for(route: &Route, request: &str) -> bool {
        let (method, target) = request.split_once(' ').unwrap_or_default();
        let path = target.split([' ', '?']).next().unwrap_or_default();
        let same = |(wanted, found): (&str, &str)| {
            let is_open = wanted.starts_with('{') && !found.is_empty();
            is_open || wanted == found
        };
        method == route.method
            && path.split('/').count() == route.path.split('/').count()
            && route.path.split('/').zip(path.split('/')).all(same)
    }

    #[test]
    fn every_route_is_asked_for() {
        let requests: Vec<_> = FILES
            .iter()
            .flat_map(|(_, text)| text.lines())
            .filter_map(|line| line.strip_prefix("> "))
            .collect();
        for route in routes() {
            let asked = requests.iter().any(|request| asks_for(route, request));
            assert!(asked, "no scenario has a request for {route:?}");
        }
    }
}
