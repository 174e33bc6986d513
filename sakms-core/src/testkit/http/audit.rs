//! The journal, read by those whom it is about and by admins.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, HOST_USER, Stage, User, World};

async fn audit(world: &World, token: &str, query: &str) -> Answer {
    let target = format!("/audit{query}");
    world.client.get(&target).bearer(token).send().await
}

fn field(rows: &[Value], name: &str) -> Vec<String> {
    let text = |row: &Value| match &row[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    rows.iter().map(text).collect()
}

/// Somebody with a key that was renamed and revoked.
async fn somebody(world: &World) -> (User, String) {
    let user = world.user().await;
    let key = world.key(&user).await;
    let target = format!("/keys/{}", key.id);
    let rename = world.client.patch(&target).bearer(&user.token);
    rename
        .json(&json!({"name": "other"}))
        .send()
        .await
        .expect(200);
    world.revoke(&user, &key).await.expect(200);
    (user, key.id)
}

/// Every row says who did what to what, when, and which hash it has; the newest comes first.
pub async fn a_row_says_who_did_what(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = somebody(&world).await;
    let rows = audit(&world, &user.token, "").await.expect(200).items();
    let actions = ["key.revoke", "key.update", "key.create", "account.register"];
    assert_eq!(field(&rows, "action"), actions);
    let owner = format!("owner:{}", user.id);
    assert_eq!(
        field(&rows, "actor"),
        [&*owner, &owner, &owner, "anonymous"]
    );
    let (key, account) = (format!("key:{key}"), format!("account:{}", user.id));
    let subjects = [&*key, &key, &key, &account];
    assert_eq!(field(&rows, "subject"), subjects);
    for row in &rows {
        let names: BTreeSet<_> = row
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let wanted = [
            "action", "actor", "at", "chain", "detail", "id", "seq", "subject",
        ];
        assert!(names.into_iter().eq(wanted), "{row}");
        let chain = row["chain"].as_str().unwrap();
        assert_eq!(chain.len(), 64, "{row}");
        assert!(!row.to_string().contains("$argon2"), "{row}");
    }
    let places: Vec<_> = rows
        .iter()
        .map(|row| row["seq"].as_u64().unwrap())
        .collect();
    assert!(
        places.is_sorted_by(|newer, older| newer > older),
        "{places:?}"
    );
}

/// Whoever is no admin sees what is about themself and what they hold, and nothing else, whatever they ask for.
pub async fn an_owner_sees_their_own_rows(stage: &Stage) {
    let world = stage.world().await;
    let (ada, adas) = somebody(&world).await;
    let (eve, eves) = somebody(&world).await;
    for (user, key, other) in [(&ada, &adas, &eve), (&eve, &eves, &ada)] {
        let rows = audit(&world, &user.token, "").await.expect(200).items();
        assert_eq!(rows.len(), 4);
        let about: BTreeSet<_> = field(&rows, "subject").into_iter().collect();
        let wanted = BTreeSet::from([format!("account:{}", user.id), format!("key:{key}")]);
        assert_eq!(about, wanted);
        let own = audit(&world, &user.token, &format!("?owner={}", user.id)).await;
        assert_eq!(own.expect(200).items(), rows);
        let others = audit(&world, &user.token, &format!("?owner={}", other.id)).await;
        others.expect(403).problem("admin_only");
    }
    // A filter that names what is another's finds nothing.
    for query in [
        format!("?subject=key:{adas}"),
        format!("?subject=account:{}", ada.id),
        format!("?actor=owner:{}", ada.id),
    ] {
        assert_eq!(
            audit(&world, &eve.token, &query).await.expect(200).json(),
            json!([])
        );
    }
    // A key with the scope sees what its owner sees.
    let auditor = world
        .key_with(&ada, &json!({"scopes": ["audit:read"]}))
        .await;
    let by_key = audit(&world, &auditor.text, "").await.expect(200).items();
    assert_eq!(
        by_key,
        audit(&world, &ada.token, "").await.expect(200).items()
    );
    let bare = world.key_with(&ada, &json!({"scopes": ["keys:*"]})).await;
    audit(&world, &bare.text, "")
        .await
        .expect(403)
        .problem("insufficient_scope");
}

/// An admin sees everything, or what is about one owner. A key of an admin is no admin.
pub async fn an_admin_sees_every_row(stage: &Stage) {
    let world = stage.world().await;
    let (ada, _) = somebody(&world).await;
    world.host_key("team/7").await;
    let admin = world.admin().await;
    let all = audit(&world, &admin.token, "").await.expect(200).items();
    let head = all[0]["seq"].as_u64().unwrap();
    assert_eq!(all.len() as u64, head, "every row there is");
    let of_ada = audit(&world, &admin.token, &format!("?owner={}", ada.id)).await;
    assert_eq!(
        of_ada.expect(200).items(),
        audit(&world, &ada.token, "").await.expect(200).items()
    );
    let of_team = audit(&world, &admin.token, "?owner=team%2F7")
        .await
        .expect(200);
    assert_eq!(field(&of_team.items(), "action"), ["key.create"]);
    assert_eq!(field(&of_team.items(), "actor"), ["owner:team/7"]);
    let nobody = audit(&world, &admin.token, "?owner=nobody")
        .await
        .expect(200);
    assert_eq!(nobody.json(), json!([]));

    let key = world
        .key_with(&admin, &json!({"scopes": ["audit:read"]}))
        .await;
    let by_key = audit(&world, &key.text, "").await.expect(200).items();
    assert!(by_key.len() < all.len(), "{by_key:?}");
    let others = audit(&world, &key.text, &format!("?owner={}", ada.id)).await;
    others.expect(403).problem("admin_only");
}

/// Each filter leaves the rows it names, and together they leave what all of them do.
pub async fn rows_are_filtered(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = somebody(&world).await;
    let between = world.later(Duration::ZERO);
    world.clock.advance(Duration::from_secs(1));
    let later = world.later(Duration::ZERO);
    let second = world.key(&user).await;
    let ask = async |query: &str| {
        let rows = audit(&world, &user.token, query).await.expect(200).items();
        field(&rows, "action")
    };
    assert_eq!(ask("?action=key.create").await.len(), 2);
    assert_eq!(ask("?action=key%2Ecreate").await.len(), 2);
    assert_eq!(ask("?action=key").await.len(), 0, "to the letter");
    assert_eq!(ask("?action=KEY.CREATE").await.len(), 0, "to the letter");
    assert_eq!(ask("?actor=anonymous").await, ["account.register"]);
    assert_eq!(
        ask(&format!("?subject=key:{}", second.id)).await,
        ["key.create"]
    );
    assert_eq!(
        ask(&format!("?subject=key:{key}&action=key.revoke")).await,
        ["key.revoke"]
    );
    assert_eq!(
        ask(&format!("?subject=key:{key}&actor=anonymous"))
            .await
            .len(),
        0
    );
    assert_eq!(ask(&format!("?from={later}")).await, ["key.create"]);
    assert_eq!(ask(&format!("?until={later}")).await.len(), 4);
    // The moment of a row is in what begins with it, and not in what ends with it.
    let revoked = audit(&world, &user.token, "?action=key.revoke")
        .await
        .expect(200);
    let at = revoked.items()[0]["at"].as_str().unwrap().to_owned();
    assert!(at <= between);
    assert_eq!(ask(&format!("?from={at}&action=key.revoke")).await.len(), 1);
    assert_eq!(
        ask(&format!("?until={at}&action=key.revoke")).await.len(),
        0
    );
    assert_eq!(ask(&format!("?from={at}&until={at}")).await.len(), 0);
}

/// What is wrong in the query is named, and a filter that is misspelt is no list of everything.
pub async fn filters_of_the_journal_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for (query, field) in [
        ("?from=yesterday", "from"),
        ("?from=", "from"),
        ("?until=2026-13-01T00:00:00Z", "until"),
        (
            "?from=2026-11-20T00:00:00Z&until=2026-11-19T00:00:00Z",
            "until",
        ),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=ten", "limit"),
        ("?cursor=abc", "cursor"),
        ("?action=a&action=b", "action"),
        ("?actor=%ff", "actor"),
        ("?acter=system", "acter"),
        ("?Action=key.create", "Action"),
        ("?owner=", "owner"),
    ] {
        audit(&world, &user.token, query).await.invalid(&[field]);
    }
    let long = format!("?owner={}", "x".repeat(129));
    audit(&world, &user.token, &long).await.invalid(&["owner"]);
    for query in [
        "?",
        "?limit=100",
        "?action=",
        "?subject=%27%20OR%201=1%20--",
    ] {
        audit(&world, &user.token, query).await.expect(200);
    }
}

/// Links lead through every row once, whatever is written meanwhile, with the same filters; a cursor is good for whoever
/// got it and for what they asked.
pub async fn links_lead_through_the_journal(stage: &Stage) {
    let world = stage.world().await;
    let (ada, eve) = (world.user().await, world.admin().await);
    for _ in 0..5 {
        world.key(&ada).await;
    }
    let query = |answer: &Answer| {
        let link = answer.header("link")?;
        let query = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
        Some(query.to_owned())
    };
    let whole = audit(&world, &ada.token, "?action=key.create")
        .await
        .expect(200);
    assert_eq!(query(&whole), None);
    let (mut seen, mut next) = (Vec::new(), Some("?limit=2&action=key.create".to_owned()));
    let mut cursors = Vec::new();
    while let Some(here) = next {
        let page = audit(&world, &ada.token, &here).await.expect(200);
        seen.extend(page.items());
        next = query(&page);
        cursors.extend(
            next.as_ref()
                .map(|next| next.rsplit_once("cursor=").unwrap().1.to_owned()),
        );
        world.key(&ada).await;
    }
    assert_eq!(seen, whole.items());
    let cursor = &cursors[0];
    audit(
        &world,
        &ada.token,
        &format!("?action=key.create&cursor={cursor}"),
    )
    .await
    .expect(200);
    for (token, filter) in [
        (&ada.token, ""),
        (&ada.token, "action=key.revoke&"),
        (&ada.token, "action=key.create&actor=system&"),
        (&eve.token, "action=key.create&"),
    ] {
        let answer = audit(&world, token, &format!("?{filter}cursor={cursor}")).await;
        answer.invalid(&["cursor"]);
    }
    for place in 0..cursor.len() {
        let mut text = cursor.clone().into_bytes();
        text[place] = if text[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(text).unwrap();
        let query = format!("?action=key.create&cursor={forged}");
        audit(&world, &ada.token, &query).await.invalid(&["cursor"]);
    }
    // A cursor of another list is none of this one.
    let keys = world
        .client
        .get("/keys?limit=1")
        .bearer(&ada.token)
        .send()
        .await
        .expect(200);
    let of_keys = query(&keys).unwrap();
    let of_keys = of_keys.rsplit_once("cursor=").unwrap().1.to_owned();
    audit(&world, &ada.token, &format!("?cursor={of_keys}"))
        .await
        .invalid(&["cursor"]);
}

/// What routes wrote follows each other, and the service says so.
pub async fn the_chain_holds(stage: &Stage) {
    let world = stage.world().await;
    let (_, _) = somebody(&world).await;
    let admin = world.admin().await;
    let mut told = Vec::new();
    let verdict = world
        .sakms
        .verify_journal(None, |progress| told.push(progress));
    let head = verdict.await.unwrap().into_result().unwrap();
    let newest = audit(&world, &admin.token, "?limit=1")
        .await
        .expect(200)
        .items();
    assert_eq!(newest[0]["seq"], head.seq.get());
    assert_eq!(newest[0]["chain"], head.chain.to_string());
    assert_eq!(told.last().map(|progress| progress.checked), Some(head.seq));

    // What was noted is still there later, when there is more.
    world.host_key("ada").await;
    let later = world
        .sakms
        .verify_journal(Some(head), |_| {})
        .await
        .unwrap();
    assert!(later.into_result().unwrap().seq > head.seq);
}

/// The host's own callers see what is theirs.
pub async fn a_hosts_owner_has_a_journal(stage: &Stage) {
    let world = stage.world().await;
    let key = world.host_key("team/7").await;
    world.host_key("team/70").await;
    let admin = world.admin().await;
    // The suite's host mounts the keys alone: the journal of a host's owner is read by an admin here.
    let ask = world.client.get("/host/audit").header(HOST_USER, "team/7");
    ask.send().await.expect(404).problem("not_found");
    let rows = audit(&world, &admin.token, "?owner=team%2F7")
        .await
        .expect(200)
        .items();
    assert_eq!(field(&rows, "subject"), [format!("key:{}", key.id)]);
}
