//! Long lists, a page at a time.

use serde_json::{Value, json};

use super::{Answer, Stage, User, World};

/// Makes `count` keys and gives their ids, the newest first.
async fn keys(world: &World, user: &User, count: usize) -> Vec<Value> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.insert(0, world.key(user).await.json["id"].clone());
    }
    ids
}

async fn page(world: &World, user: &User, query: &str) -> Answer {
    world
        .client
        .get(&format!("/keys{query}"))
        .bearer(&user.token)
        .send()
        .await
}

fn ids(answer: &Answer) -> Vec<Value> {
    answer.items().iter().map(|key| key["id"].clone()).collect()
}

/// The reference to the next page: a query to put behind the same path (RFC 8288, RFC 3986).
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let query = link
        .strip_prefix('<')
        .and_then(|link| link.strip_suffix(">; rel=\"next\""));
    let query = query.unwrap_or_else(|| panic!("not the form of a link: {link}"));
    assert!(
        query.starts_with('?'),
        "a reference that leaves the path: {link}"
    );
    Some(query.to_owned())
}

/// Following the links gives every key once, the newest first, whatever is added meanwhile.
pub async fn links_lead_through_every_key_once(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let mut made = keys(&world, &user, 5).await;
    let (mut seen, mut sizes, mut query) = (Vec::new(), Vec::new(), Some("?limit=2".to_owned()));
    while let Some(here) = query {
        let answer = page(&world, &user, &here).await.expect(200);
        seen.extend(ids(&answer));
        sizes.push(answer.items().len());
        query = next(&answer);
        keys(&world, &user, 1).await;
    }
    assert_eq!((&seen, &sizes[..]), (&made, &[2, 2, 1][..]));

    // A page that is just full is the last one.
    let another = world.user().await;
    made = keys(&world, &another, 4).await;
    let first = page(&world, &another, "?limit=2").await;
    let second = page(&world, &another, &next(&first).unwrap()).await;
    assert_eq!([ids(&first), ids(&second)].concat(), made);
    assert_eq!(next(&second), None);
    assert_eq!(next(&page(&world, &another, "").await), None);
}

/// Without a word about it a page has 50 keys, and at most 100.
pub async fn a_page_has_fifty_keys(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let made = keys(&world, &user, 101).await;
    for (query, size) in [("", 50), ("?limit=1", 1), ("?limit=100", 100)] {
        let answer = page(&world, &user, query).await.expect(200);
        assert_eq!(ids(&answer), made[..size], "{query}");
        let rest = page(&world, &user, &next(&answer).unwrap()).await;
        assert_eq!(ids(&rest), made[size..(2 * size).min(101)], "{query}");
    }
    let nobody = world.user().await;
    assert_eq!(
        page(&world, &nobody, "").await.expect(200).json(),
        json!([])
    );
}

/// A limit is a number between 1 and 100, once.
pub async fn limits_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for limit in [
        "0",
        "101",
        "-1",
        "1.5",
        "abc",
        "",
        "%20",
        "1%20",
        "1e2",
        "0x10",
        "99999999999999999999",
        "4294967297",
        "%D9%A1",
        "null",
        "%ff",
    ] {
        let answer = page(&world, &user, &format!("?limit={limit}")).await;
        assert_eq!(answer.status, 422, "{limit}:\n{}", answer.whole());
        answer.invalid(&["limit"]);
    }
    for query in [
        "?limit",
        "?limit=1&limit=1",
        "?limit=1&limit=2",
        "?cursor=x&limit=0",
    ] {
        page(&world, &user, query).await.invalid(&["limit"]);
    }
    for query in [
        "?limit=1",
        "?limit=100",
        "?limit=%31",
        "?limit=007",
        "?",
        "?&&",
        "?other=1&limit=5",
    ] {
        page(&world, &user, query).await.expect(200);
    }
}

/// A cursor is good for the list it was given for, and cannot be made up.
pub async fn cursors_cannot_be_made_up(stage: &Stage) {
    let world = stage.world().await;
    let (ada, eve) = (world.user().await, world.user().await);
    keys(&world, &ada, 3).await;
    let eves = keys(&world, &eve, 3).await;
    let link = next(&page(&world, &ada, "?limit=1").await.expect(200)).unwrap();
    let cursor = link.rsplit_once("cursor=").unwrap().1.to_owned();

    page(&world, &ada, &format!("?cursor={cursor}"))
        .await
        .expect(200);
    page(&world, &eve, &format!("?cursor={cursor}"))
        .await
        .invalid(&["cursor"]);
    for place in 0..cursor.len() {
        let mut text = cursor.clone().into_bytes();
        text[place] = if text[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(text).unwrap();
        page(&world, &ada, &format!("?cursor={forged}"))
            .await
            .invalid(&["cursor"]);
    }
    for bad in [
        "",
        "0",
        "abc",
        "%00",
        "%ff",
        eves[0].as_str().unwrap(),
        "'%20OR%201=1%20--",
        "../../etc/passwd",
        &cursor[1..],
        &cursor[..cursor.len() - 1],
        &format!("{cursor}A"),
        &format!("{cursor}%3D"),
        &cursor.repeat(40),
    ] {
        let answer = page(&world, &ada, &format!("?cursor={bad}")).await;
        assert_eq!(answer.status, 422, "{bad}:\n{}", answer.whole());
        answer.invalid(&["cursor"]);
    }
    page(&world, &ada, &format!("?cursor={cursor}&cursor={cursor}"))
        .await
        .invalid(&["cursor"]);
}
