//! Ending well, and clients that are slow.

#![allow(clippy::disallowed_methods, reason = "these tests are about time")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::server::Server;
use support::{client, flow};

#[test]
fn a_request_in_flight_is_answered_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let body = format!(
        r#"{{"email":"ada@example.com","password":"{}"}}"#,
        flow::PASSWORD
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body.as_bytes()[..10]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(
        TcpStream::connect(server.address).is_err(),
        "no new connection is taken"
    );
    stream.write_all(&body.as_bytes()[10..]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(client::parse(&answer).unwrap().status, 201);
    let status = server.wait(Duration::from_secs(10));
    assert!(status.success(), "{status}");
    assert!(server.log().contains("stopped"));
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let mut idle = TcpStream::connect(server.address).unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut some = [0; 64];
    assert!(idle.read(&mut some).unwrap() > 0);
    let start = Instant::now();
    server.signal("INT");
    assert!(server.wait(Duration::from_secs(10)).success());
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_request_that_never_ends_is_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(
        folder.path(),
        &[
            ("SAKMS_SHUTDOWN_TIMEOUT", "1"),
            ("SAKMS_BODY_TIMEOUT", "60"),
        ],
    );
    let mut stuck = TcpStream::connect(server.address).unwrap();
    stuck
        .write_all(b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    assert!(server.wait(Duration::from_secs(10)).success());
    assert!(server.log().contains("broken off"));
}

#[test]
fn uses_are_stored_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let key = {
        let mut server = Server::start(folder.path(), &[]);
        flow::register(&server, "ada@example.com");
        let token = flow::login(&server, "ada@example.com");
        let key = server
            .send(
                "POST",
                "/keys",
                &[("Authorization", &format!("Bearer {token}"))],
                r#"{"scopes":["keys:read"]}"#,
            )
            .text("api_key");
        assert_eq!(
            server
                .send("GET", "/demo/protected", &[("X-API-Key", &key)], "")
                .status,
            200
        );
        server.signal("TERM");
        assert!(server.wait(Duration::from_secs(10)).success());
        key
    };
    let server = Server::start(folder.path(), &[]);
    let list = server
        .send("GET", "/keys", &[("X-API-Key", &key)], "")
        .json();
    assert!(list[0]["last_used_at"].is_string(), "{list}");
}

#[test]
fn headers_and_bodies_that_do_not_come_are_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(
        folder.path(),
        &[("SAKMS_HEADER_TIMEOUT", "1"), ("SAKMS_BODY_TIMEOUT", "1")],
    );
    let ended = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let start = Instant::now();
    ended(b"");
    ended(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    let late = ended(b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 50\r\n\r\n{");
    assert!(late.starts_with("HTTP/1.1 408"), "{late}");
    assert!(start.elapsed() < Duration::from_secs(15));
    assert_eq!(server.send("GET", "/health", &[], "").status, 200);
}
