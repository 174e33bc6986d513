//! Where a request came from: what a stranger writes into a header is never believed.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use sakms_core::http::TrustedProxies;
use sakms_core::key::IpRange;

use crate::draw::Draw;

const TRUSTED: &str = "10.0.0.0/8";
const NAMES: [&str; 2] = ["x-forwarded-for", "forwarded"];

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let in_forwarded = draw.coin();
    let hops = draw.below(4);
    let peer: Option<IpAddr> = match draw.below(4) {
        0 => None,
        1 => Some([192, 0, 2, 1].into()),
        _ => Some([10, 0, 0, 1].into()),
    };
    let suffix = if in_forwarded { ",forwarded" } else { "" };
    let lines: Vec<_> = std::iter::from_fn(|| (!draw.is_empty()).then(|| draw.until(b'\n')))
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let by_range: TrustedProxies = format!("{TRUSTED}{suffix}").parse().unwrap();
    let by_hops: TrustedProxies = format!("hops:{hops}{suffix}").parse().unwrap();

    let name = NAMES[usize::from(in_forwarded)];
    let headers = under(name, &lines);
    assert_eq!(TrustedProxies::none().client(peer, &headers), peer);
    let (ranged, hopped) = (
        by_range.client(peer, &headers),
        by_hops.client(peer, &headers),
    );
    let trusted: IpRange = TRUSTED.parse().unwrap();

    // A peer that is no proxy is who asks, whatever it says.
    if peer.is_none_or(|peer| !trusted.contains(peer)) {
        assert_eq!(ranged, peer);
    }
    if hops == 0 {
        assert_eq!(hopped, peer);
    }
    // Nobody is read from the other header.
    let elsewhere = under(NAMES[usize::from(!in_forwarded)], &lines);
    assert_eq!(by_range.client(peer, &elsewhere), peer);

    if in_forwarded {
        // Once it is found, what stands left of it changes nothing.
        if let Some(found) = ranged.filter(|found| !trusted.contains(*found)) {
            let mut more = vec![HeaderValue::from_static("for=203.0.113.9, for=\"")];
            more.extend(lines.iter().cloned());
            assert_eq!(by_range.client(peer, &under(name, &more)), Some(found));
        }
    } else {
        let said = said(&lines);
        if hops > 0 {
            let nth = said.get(hops - 1).copied().flatten();
            assert_eq!(hopped, nth);
        }
        if let Some(peer) = peer.filter(|peer| trusted.contains(*peer)) {
            let mut expected = Some(peer);
            for address in said {
                expected = address;
                if address.is_none_or(|address| !trusted.contains(address)) {
                    break;
                }
            }
            assert_eq!(ranged, expected);
        }
    }
}

fn under(name: &'static str, lines: &[HeaderValue]) -> HeaderMap {
    let name = HeaderName::from_static(name);
    lines
        .iter()
        .map(|line| (name.clone(), line.clone()))
        .collect()
}

/// The entries of `X-Forwarded-For`, the last one first, as somebody else would read them.
fn said(lines: &[HeaderValue]) -> Vec<Option<IpAddr>> {
    let joined = lines
        .iter()
        .map(HeaderValue::as_bytes)
        .collect::<Vec<_>>()
        .join(&b',');
    if lines.is_empty() {
        return Vec::new();
    }
    let entries = joined.rsplit(|byte| *byte == b',');
    entries
        .map(|entry| {
            let text = std::str::from_utf8(entry).ok()?.trim();
            let address = text.parse::<IpAddr>().ok();
            let socket = || Some(text.parse::<std::net::SocketAddr>().ok()?.ip());
            let bare = || {
                text.strip_prefix('[')?
                    .strip_suffix(']')?
                    .parse()
                    .ok()
                    .map(IpAddr::V6)
            };
            let address = address.or_else(socket).or_else(bare)?;
            Some(address.to_canonical())
        })
        .collect()
}
