use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn trusting(text: &str) -> TrustedProxies {
    text.parse().unwrap()
}

fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
    let line = |(name, value): &(HeaderName, &str)| {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        (name.clone(), value)
    };
    lines.iter().map(line).collect()
}

/// Who asks, when a proxy at 10.0.0.1 is connected and these are the lines of `X-Forwarded-For`.
fn xff(trusted: &str, lines: &[&str]) -> Option<String> {
    let lines: Vec<_> = lines.iter().map(|line| (X_FORWARDED_FOR, *line)).collect();
    let client = trusting(trusted).client(Some(ip("10.0.0.1")), &headers(&lines));
    client.map(|client| client.to_string())
}

fn forwarded(lines: &[&str]) -> Option<String> {
    let lines: Vec<_> = lines.iter().map(|line| (FORWARDED, *line)).collect();
    let trusted = trusting("10.0.0.0/8,forwarded");
    let client = trusted.client(Some(ip("10.0.0.1")), &headers(&lines));
    client.map(|client| client.to_string())
}

#[test]
fn nobody_is_believed_unless_that_is_said() {
    assert_eq!(xff("", &["203.0.113.9"]).as_deref(), Some("10.0.0.1"));
    assert_eq!(xff("hops:0", &["203.0.113.9"]).as_deref(), Some("10.0.0.1"));
    assert_eq!(
        xff("192.0.2.0/24", &["203.0.113.9"]).as_deref(),
        Some("10.0.0.1")
    );
    assert_eq!(TrustedProxies::none().client(None, &HeaderMap::new()), None);
    // Nor is the other header.
    let both = headers(&[
        (FORWARDED, "for=203.0.113.9"),
        (X_FORWARDED_FOR, "198.51.100.1"),
    ]);
    let client = |trusted| trusting(trusted).client(Some(ip("10.0.0.1")), &both);
    assert_eq!(client("10.0.0.0/8"), Some(ip("198.51.100.1")));
    assert_eq!(client("10.0.0.0/8,forwarded"), Some(ip("203.0.113.9")));
}

#[test]
fn the_list_is_read_from_the_right_past_trusted_proxies_only() {
    for (lines, client) in [
        (&["203.0.113.9"][..], Some("203.0.113.9")),
        // What stands left of the first stranger is the stranger's word.
        (&["1.1.1.1, 203.0.113.9"], Some("203.0.113.9")),
        (&["1.1.1.1, 203.0.113.9, 10.9.9.9"], Some("203.0.113.9")),
        (&["10.5.5.5, 203.0.113.9, 10.9.9.9"], Some("203.0.113.9")),
        (&["1.1.1.1", "203.0.113.9", "10.9.9.9"], Some("203.0.113.9")),
        (
            &["1.1.1.1, 203.0.113.9", "10.9.9.9,10.8.8.8"],
            Some("203.0.113.9"),
        ),
        // A proxy that asks of its own accord.
        (&[], Some("10.0.0.1")),
        (&["10.2.2.2"], Some("10.2.2.2")),
        // Ports, brackets and clothes.
        (&["203.0.113.9:4711"], Some("203.0.113.9")),
        (&["[2001:db8::1]:4711"], Some("2001:db8::1")),
        (&["[2001:db8::1]"], Some("2001:db8::1")),
        (&["2001:db8::1"], Some("2001:db8::1")),
        (&["::ffff:203.0.113.9"], Some("203.0.113.9")),
        (&["203.0.113.9, ::ffff:10.1.1.1"], Some("203.0.113.9")),
        // What is no address is nobody's, and nothing left of it counts.
        (&["203.0.113.9, unknown"], None),
        (&["203.0.113.9, "], None),
        (&["203.0.113.9,,10.1.1.1"], None),
        (&["203.0.113"], None),
        (&["203.0.113.9:"], None),
        (&["203.0.113.9:99999"], None),
        (&["[203.0.113.9]"], None),
        (&["fe80::1%eth0"], None),
        (&["\"203.0.113.9\""], None),
        (&["203.0.113.9 10.1.1.1"], None),
        (&["ä"], None),
    ] {
        assert_eq!(xff("10.0.0.0/8", lines).as_deref(), client, "{lines:?}");
    }
}

#[test]
fn hops_are_counted_from_the_right() {
    for (hops, lines, client) in [
        ("hops:1", &["1.1.1.1, 203.0.113.9"][..], Some("203.0.113.9")),
        (
            "hops:2",
            &["1.1.1.1, 203.0.113.9, 192.0.2.1"],
            Some("203.0.113.9"),
        ),
        (
            "hops:2",
            &["1.1.1.1", "203.0.113.9", "192.0.2.1"],
            Some("203.0.113.9"),
        ),
        // It came past one of them.
        ("hops:2", &["203.0.113.9"], None),
        ("hops:1", &[], None),
        ("hops:1", &["203.0.113.9, x"], None),
    ] {
        assert_eq!(xff(hops, lines).as_deref(), client, "{hops} {lines:?}");
    }
}

#[test]
fn forwarded_is_read_as_it_is_written() {
    for (lines, client) in [
        (&["for=203.0.113.9"][..], Some("203.0.113.9")),
        (
            &["For=\"203.0.113.9:47\";proto=http;by=10.0.0.1"],
            Some("203.0.113.9"),
        ),
        (
            &["for=1.1.1.1, for=203.0.113.9;by=\"a, for=2.2.2.2\""],
            Some("203.0.113.9"),
        ),
        (&["for=\"[2001:db8::1]:4711\""], Some("2001:db8::1")),
        (
            &["for=\"[2001:db8::1]\", for=10.1.1.1"],
            Some("2001:db8::1"),
        ),
        (&["proto=https ; for=203.0.113.9"], Some("203.0.113.9")),
        (
            &["for=203.0.113.9, for=10.2.2.2", "for=10.1.1.1"],
            Some("203.0.113.9"),
        ),
        (&["for=203.0.113.9,"], Some("203.0.113.9")),
        // Not by the grammar, and usual.
        (&["for=203.0.113.9:80"], Some("203.0.113.9")),
        (&["for=\"\\2\\0\\3.0.113.9\""], Some("203.0.113.9")),
        (&["for=unknown"], None),
        (&["for=_hidden, for=10.1.1.1"], None),
        (&["by=10.0.0.1"], None),
        (&["for=1.1.1.1;for=203.0.113.9"], None),
        (&["for=\"203.0.113.9"], None),
        (&["for=1.1.1.1;x=\", for=203.0.113.9"], None),
        (&["for=1.1.1.1;x=\", for=\"[2001:db8::1]\""], None),
        (&["for=203.0.113.9 for=10.1.1.1"], None),
        (&["for="], None),
        (&["=203.0.113.9"], None),
        (&["203.0.113.9"], None),
        // A line that is broken says nothing of one that came later.
        (&["for=\"1.1.1.1", "for=203.0.113.9"], Some("203.0.113.9")),
    ] {
        assert_eq!(forwarded(lines).as_deref(), client, "{lines:?}");
    }
}

#[test]
fn the_setting_is_checked() {
    for (text, error) in [
        ("10.1.2.3/8", "address"),
        ("proxy", "address"),
        ("hops:x", "hops:N"),
        ("hops:256", "hops:N"),
        ("hops:1,hops:2", "either"),
        ("hops:1,10.0.0.0/8", "either"),
        ("forwarded", "whose"),
    ] {
        let refused = text.parse::<TrustedProxies>().unwrap_err().to_string();
        assert!(refused.contains(error), "{text}: {refused}");
    }
    assert_eq!(trusting(""), TrustedProxies::none());
    assert_eq!(
        trusting("hops:2, forwarded"),
        TrustedProxies::hops(2).by(ForwardedBy::Forwarded)
    );
    let ranges = ["10.0.0.0/8", "2001:db8::1"].map(|range| range.parse().unwrap());
    assert_eq!(
        trusting("10.0.0.0/8,2001:db8::1"),
        TrustedProxies::ranges(ranges)
    );
}

fn garbage() -> impl Strategy<Value = String> {
    "[ -~\t]{0,60}|(for=|\"|,|;|=|10\\.0\\.0\\.1|1\\.2\\.3\\.4|unknown|\\\\| ){0,12}"
}

proptest! {
    /// Whatever a stranger wrote before it, the address that a trusted proxy appended is the one that counts.
    #[test]
    fn nothing_a_stranger_writes_counts(lines in prop::collection::vec(garbage(), 0..4), own_line: bool) {
        let client = "203.0.113.9";
        for (name, appended, trusted) in [
            (X_FORWARDED_FOR, client.to_owned(), "10.0.0.0/8"),
            (X_FORWARDED_FOR, client.to_owned(), "hops:1"),
            (FORWARDED, format!("for={client}"), "10.0.0.0/8,forwarded"),
            (FORWARDED, format!("proto=https;for=\"{client}:80\""), "10.0.0.0/8,forwarded"),
        ] {
            let mut lines = lines.clone();
            match lines.last_mut() {
                Some(last) if !own_line => *last = format!("{last}, {appended}"),
                _ => lines.push(appended),
            }
            let lines: Vec<_> = lines.iter().map(|line| (name.clone(), line.as_str())).collect();
            let found = trusting(trusted).client(Some(ip("10.0.0.1")), &headers(&lines));
            // A `Forwarded` that is broken by what came before names nobody; it never names somebody else.
            let known = found == Some(ip(client));
            prop_assert!(known || (found.is_none() && name == FORWARDED && !own_line), "{found:?}");
        }
    }

    #[test]
    fn every_address_is_read_however_it_is_written(bits: u128, v6: bool, port: u16) {
        #[expect(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
        let address = if v6 {
            IpAddr::from(bits.to_be_bytes())
        } else {
            IpAddr::from((bits as u32).to_be_bytes())
        };
        let with_port = SocketAddr::new(address, port).to_string();
        for text in [address.to_string(), with_port] {
            prop_assert_eq!(super::address(&text), Some(address.to_canonical()), "{}", text);
        }
    }
}
