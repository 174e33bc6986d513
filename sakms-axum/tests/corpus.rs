//! The corpus over axum: its record is written here, and it can fail.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, DATE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use sakms_core::http::Api;
use sakms_core::store::MemoryStore;
use sakms_core::testkit::http::corpus::{self, Replay, Scenario};
use sakms_core::testkit::store::Fixture;

async fn memory() -> Option<Fixture> {
    Some(Fixture::full(MemoryStore::new()))
}

/// `UPDATE_SNAPSHOT=1` writes what axum answers over the store in memory.
#[test]
fn the_corpus_gets_the_answers_on_record() {
    let replays = corpus::replay(common::start, memory).unwrap();
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../sakms-core/src/testkit/http/corpus"
    );
    for replay in &replays {
        let path = format!("{folder}/{}.txt", replay.scenario().name());
        if std::env::var_os("UPDATE_SNAPSHOT").is_some() {
            std::fs::write(&path, replay.recorded()).unwrap();
        } else if replay.differences().is_empty() {
            // What agrees would not be written anew.
            assert_eq!(replay.recorded(), std::fs::read_to_string(path).unwrap());
        }
    }
    if std::env::var_os("UPDATE_SNAPSHOT").is_none() {
        corpus::check(&replays);
    }
}

/// What a host does wrong to an answer.
#[derive(Debug, Clone, Copy)]
enum Flaw {
    None,
    AnotherStatus,
    OneHeaderMore,
    OneHeaderLess,
    AnotherHeaderValue,
    TheSameHeaderTwice,
    AnotherCase,
    OneByteMore,
    AnotherByte,
    TwoDates,
    HangsUp,
}

impl Flaw {
    const OF_ONE_ANSWER: [Self; 9] = [
        Self::AnotherStatus,
        Self::OneHeaderMore,
        Self::OneHeaderLess,
        Self::AnotherHeaderValue,
        Self::TheSameHeaderTwice,
        Self::AnotherCase,
        Self::OneByteMore,
        Self::AnotherByte,
        Self::TwoDates,
    ];

    /// Does it to the refusals of missing credentials, and to nothing else.
    async fn alter(self, mut response: Response) -> Response {
        let realm = HeaderValue::from_static(r#"Bearer realm="sakms""#);
        if response.headers().get(WWW_AUTHENTICATE) != Some(&realm) {
            return response;
        }
        let headers = response.headers_mut();
        match self {
            Self::None => {}
            Self::AnotherStatus => *response.status_mut() = StatusCode::FORBIDDEN,
            Self::OneHeaderMore => drop(headers.insert("x", HeaderValue::from_static("y"))),
            Self::OneHeaderLess => drop(headers.remove(CACHE_CONTROL)),
            Self::AnotherHeaderValue => {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-stare"));
            }
            Self::TheSameHeaderTwice => drop(headers.append(WWW_AUTHENTICATE, realm)),
            Self::AnotherCase => {
                headers.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/Problem+json"),
                );
            }
            Self::TwoDates => {
                let date = HeaderValue::from_static("Wed, 18 Nov 2026 11:06:40 GMT");
                headers.append(DATE, date.clone());
                headers.append(DATE, date);
            }
            Self::HangsUp => {
                headers.insert("connection", HeaderValue::from_static("close"));
            }
            Self::OneByteMore | Self::AnotherByte => {
                let (mut parts, body) = response.into_parts();
                let mut bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
                match self {
                    Self::OneByteMore => bytes.push(b'\n'),
                    _ => bytes[20] ^= 1,
                }
                parts.headers.remove("content-length");
                return Response::from_parts(parts, Body::from(bytes));
            }
        }
        response
    }
}

fn scenario(name: &str) -> Scenario {
    let mut scenarios = corpus::scenarios().into_iter();
    scenarios.find(|scenario| scenario.name() == name).unwrap()
}

fn played(flaw: Flaw, scenario: &Scenario) -> Replay {
    let start = move |api: Api| async move {
        let alter = from_fn(move |request: Request, next: Next| async move {
            flaw.alter(next.run(request).await).await
        });
        common::serve(common::app(api).layer(alter)).await
    };
    corpus::play(scenario, start, memory).unwrap()
}

/// Which steps are not as they are on record, by their titles.
fn seen(flaw: Flaw, scenario: &Scenario) -> Vec<String> {
    let differences = played(flaw, scenario).differences();
    let title = |text: &String| text.lines().next().unwrap_or_default().to_owned();
    differences.iter().map(title).collect()
}

#[test]
fn one_byte_of_one_answer_is_seen() {
    let scenario = scenario("groups");
    assert_eq!(seen(Flaw::None, &scenario), Vec::<String>::new());
    for flaw in Flaw::OF_ONE_ANSWER {
        let refused = [
            "groups: GET /keys",
            "groups: POST /keys",
            "groups: GET /keys/x",
            "groups: POST /keys/x/revoke",
            "groups: GET /host/keys",
        ];
        assert_eq!(seen(flaw, &scenario), refused, "{flaw:?}");
    }
}

#[test]
fn a_connection_that_ends_too_early_is_seen() {
    let scenario = scenario("connections");
    assert_eq!(seen(Flaw::None, &scenario), Vec::<String>::new());
    let seen = seen(Flaw::HangsUp, &scenario);
    assert!(
        seen.contains(&"connections: errors at once".to_owned()),
        "{seen:?}"
    );
    assert!(seen.len() > 4 && seen.len() < 12, "{seen:?}");
}

#[test]
#[should_panic(expected = "a scenario was not played")]
fn a_scenario_that_was_left_out_is_seen() {
    corpus::check(&[played(Flaw::None, &scenario("groups"))]);
}

#[test]
fn two_servers_that_differ_are_told_apart() {
    let scenario = scenario("groups");
    let (good, bad) = (
        played(Flaw::None, &scenario),
        played(Flaw::AnotherByte, &scenario),
    );
    assert_eq!(good.differences_from(&good), Vec::<String>::new());
    assert_eq!(good.differences_from(&bad).len(), 5);
    assert_eq!(good.differs_throughout(&bad).unwrap_err().len(), 11);
}

#[test]
#[should_panic(expected = "made up: first: nothing is called `nobody` here")]
fn a_name_that_nobody_gave_is_seen() {
    let text = "== first\n> GET /keys/{{nobody}} HTTP/1.1\n>\n";
    played(Flaw::None, &Scenario::parse("made up", text));
}
