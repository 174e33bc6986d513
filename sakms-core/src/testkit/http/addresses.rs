//! From where a key may be used, and how that is known.

use std::time::Duration;

use serde_json::json;

use super::client::Request;
use super::world::Key;
use super::{Answer, Stage, World};
use crate::key::{KeyPatch, Limits};
use crate::store::KeyStore as _;

/// A key that may be used from these addresses only, and may do everything.
async fn key_from(world: &World, ranges: &[&str]) -> Key {
    let user = world.user().await;
    let key = world.key_with(&user, &json!({"scopes": ["*"]})).await;
    let limits = Limits {
        ip_ranges: ranges.iter().map(|range| range.parse().unwrap()).collect(),
        ..Limits::default()
    };
    let patch = KeyPatch {
        limits: Some(limits),
        ..KeyPatch::default()
    };
    world.change(&key, &patch).await;
    key
}

async fn ask(request: Request, key: &Key) -> Answer {
    request.bearer(&key.text).send().await
}

/// A key with a list of addresses opens nothing from elsewhere, neither a host's routes nor those of the table.
pub async fn a_key_may_be_used_from_its_addresses_only(stage: &Stage) {
    let world = stage.world().await;
    for (ranges, opens) in [
        (&["127.0.0.1"][..], true),
        (&["2001:db8::/32", "127.0.0.0/8"], true),
        (&["0.0.0.0/0"], true),
        (&["192.0.2.0/24"], false),
        (&["::/0"], false),
    ] {
        let key = key_from(&world, ranges).await;
        for path in ["/guarded/any", "/keys"] {
            // Twice: what is remembered makes no difference.
            for _ in 0..2 {
                let answer = ask(world.client.get(path), &key).await;
                if opens {
                    answer.expect(200);
                } else {
                    answer.expect(403).problem("address_not_allowed");
                }
            }
        }
    }
}

/// What a header says of where a request came from counts where the proxy that says so is trusted, and no further.
pub async fn no_header_counts_unless_its_proxy_is_trusted(stage: &Stage) {
    let world = stage
        .world_with(|api| api.trusted_proxies("127.0.0.0/8,10.0.0.0/8".parse().unwrap()))
        .await;
    let key = key_from(&world, &["192.0.2.0/24"]).await;
    let forwarded = |path: &str, by: &[&str]| {
        let request = world.client.get(path);
        by.iter()
            .fold(request, |request, by| request.header("X-Forwarded-For", by))
    };
    for (by, opens) in [
        (&["192.0.2.7"][..], true),
        (&["203.0.113.1, 192.0.2.7"], true),
        (&["203.0.113.1", "192.0.2.7:4711"], true),
        (&["192.0.2.7, 203.0.113.1"], false),
        (&["192.0.2.7", "203.0.113.1"], false),
        (&["192.0.2.7, unknown"], false),
        (&["192.0.2.7,"], false),
        (&[], false),
    ] {
        for path in ["/guarded/proxied", "/keys"] {
            let answer = ask(forwarded(path, by), &key).await;
            if opens {
                answer.expect(200);
            } else {
                answer.expect(403).problem("address_not_allowed");
            }
        }
        // A guard that was told nothing believes nobody.
        let answer = ask(forwarded("/guarded/any", by), &key).await;
        answer.expect(403).problem("address_not_allowed");
    }
    let other = world.client.get("/guarded/proxied");
    let other = other.header("Forwarded", "for=192.0.2.7");
    ask(other, &key).await.expect(403);
}

/// Where a key was last used from is written down.
pub async fn the_last_use_is_known_by_its_address(stage: &Stage) {
    let world = stage.world().await;
    let key = key_from(&world, &["127.0.0.1", "2001:db8::/32"]).await;
    let last_from = async || {
        world.sakms.flush().await.unwrap();
        let secrets = world.faults.secrets(key.id.parse().unwrap()).await.unwrap();
        secrets[0].last_used_from.map(|address| address.to_string())
    };
    ask(world.client.get("/guarded/any"), &key)
        .await
        .expect(200);
    assert_eq!(last_from().await.as_deref(), Some("127.0.0.1"));
    // As finely as the time is told, the place is.
    world.clock.advance(Duration::from_secs(1));
    let proxied = || world.client.get("/guarded/proxied");
    let by = |address: &str| proxied().header("X-Forwarded-For", address);
    ask(by("2001:db8::7"), &key).await.expect(200);
    assert_eq!(last_from().await.as_deref(), Some("2001:db8::7"));
    // Who was refused was not there.
    ask(by("203.0.113.1"), &key).await.expect(403);
    assert_eq!(last_from().await.as_deref(), Some("2001:db8::7"));
}
