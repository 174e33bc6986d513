//! Ending well, and clients that are slow.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]
#![allow(clippy::disallowed_methods, reason = "these tests are about time")]

#[macro_use]
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::server::Server;
use support::site::Site;
use support::{client, flow};

on_each_framework!(
    a_request_in_flight_is_answered_before_the_end,
    a_request_that_has_arrived_on_an_idle_connection_is_answered_before_the_end,
    an_idle_connection_does_not_hold_up_the_end,
    a_request_that_never_ends_is_broken_off,
    uses_are_stored_at_the_end,
    a_second_signal_ends_it_at_once,
    headers_and_bodies_that_do_not_come_are_not_waited_for,
    connections_past_the_most_wait_for_a_place,
    a_connection_without_a_next_request_is_closed,
    a_body_that_nobody_reads_is_not_waited_for,
);

/// A request of which the server has the head and waits for the body.
fn in_flight(server: &Server, target: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
    stream.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100 "));
    stream
}

fn a_request_in_flight_is_answered_before_the_end(site: &Site) {
    let mut server = site.start(&[]);
    let body = format!(
        r#"{{"email":"ada@example.com","password":"{}"}}"#,
        flow::PASSWORD
    );
    let mut stream = in_flight(&server, "/auth/register", body.len());
    stream.write_all(&body.as_bytes()[..10]).unwrap();
    server.signal("TERM");
    let start = Instant::now();
    while TcpStream::connect(server.address).is_ok() {
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "new connections are taken"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    stream.write_all(&body.as_bytes()[10..]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(client::parse(&answer).unwrap().status, 201);
    let status = server.wait(Duration::from_secs(10));
    assert!(status.success(), "{status}");
    assert!(server.log().contains("stopped"));
}

/// The server finds the signal and the requests at once, when it goes on.
fn a_request_that_has_arrived_on_an_idle_connection_is_answered_before_the_end(site: &Site) {
    let mut server = site.start(&[]);
    let request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut streams: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(server.address).unwrap())
        .collect();
    for stream in &mut streams {
        stream.write_all(request).unwrap();
        let mut some = [0; 1024];
        assert!(stream.read(&mut some).unwrap() > 0);
    }
    server.signal("STOP");
    server.signal("TERM");
    for stream in &mut streams {
        stream.write_all(request).unwrap();
    }
    server.signal("CONT");
    for stream in &mut streams {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(client::parse(&answer).unwrap().status, 200);
    }
    assert!(server.wait(Duration::from_secs(10)).success());
}

fn an_idle_connection_does_not_hold_up_the_end(site: &Site) {
    let mut server = site.start(&[]);
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

fn a_request_that_never_ends_is_broken_off(site: &Site) {
    let mut server = site.start(&[
        ("SAKMS_SHUTDOWN_TIMEOUT", "1"),
        ("SAKMS_BODY_TIMEOUT", "60"),
    ]);
    let _stuck = in_flight(&server, "/auth/login", 50);
    server.signal("TERM");
    assert!(server.wait(Duration::from_secs(10)).success());
    assert!(server.log().contains("broken off"));
}

fn uses_are_stored_at_the_end(site: &Site) {
    flow::last_use_outlives_the_server(site, &[]);
}

fn a_second_signal_ends_it_at_once(site: &Site) {
    let mut server = site.start(&[
        ("SAKMS_SHUTDOWN_TIMEOUT", "60"),
        ("SAKMS_BODY_TIMEOUT", "60"),
    ]);
    let _stuck = in_flight(&server, "/auth/login", 50);
    server.signal("TERM");
    server.wait_for_log("stopping");
    server.signal("INT");
    assert_eq!(server.wait(Duration::from_secs(10)).code(), Some(1));
    assert!(server.log().contains("stopped at once by a second signal"));
}

fn headers_and_bodies_that_do_not_come_are_not_waited_for(site: &Site) {
    let server = site.start(&[("SAKMS_HEADER_TIMEOUT", "1"), ("SAKMS_BODY_TIMEOUT", "1")]);
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

/// A place is free again when its connection has ended.
fn connections_past_the_most_wait_for_a_place(site: &Site) {
    let server = site.start(&[("SAKMS_MAX_CONNECTIONS", "1")]);
    let request = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let first = TcpStream::connect(server.address).unwrap();
    let mut second = TcpStream::connect(server.address).unwrap();
    second.write_all(request).unwrap();
    let limit = Some(Duration::from_millis(500));
    second.set_read_timeout(limit).unwrap();
    let mut answer = Vec::new();
    assert!(second.read_to_end(&mut answer).is_err(), "it was served");
    drop(first);
    second
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    second.read_to_end(&mut answer).unwrap();
    assert_eq!(client::parse(&answer).unwrap().status, 200);
}

fn a_connection_without_a_next_request_is_closed(site: &Site) {
    let server = site.start(&[("SAKMS_HEADER_TIMEOUT", "1")]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // To its end, which is the server's doing: the request left the connection open.
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(client::parse(&answer).unwrap().status, 200);
}

fn a_body_that_nobody_reads_is_not_waited_for(site: &Site) {
    let server = site.start(&[]);
    for (line, status) in [
        ("GET /demo/public", 200),
        ("GET /demo/protected", 401),
        ("PUT /demo/public", 405),
        ("GET /nowhere", 404),
        ("POST /keys", 401),
    ] {
        let request =
            format!("{line} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        let answer = client::raw(server.address, request.as_bytes());
        assert_eq!(answer.unwrap().status, status, "{line}");
    }
}
