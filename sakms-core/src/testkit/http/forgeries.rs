//! Keys that were never made, or not like this: refused alike, and before anything is looked up.

use super::Stage;
use super::credentials::holder;
use super::stage::key_format;
use super::world::Key;
use crate::entropy::{self, OsEntropy};
use crate::id::SecretId;
use crate::key::Environment;
use crate::secret::KeySecret;
use crate::store::{AccountStore as _, KeyStore as _};
use crate::testkit::fixtures;

/// A key with any one character changed is refused before anything is looked up.
pub async fn a_changed_character_never_reaches_the_store(stage: &Stage) {
    let world = stage.world().await;
    let (_, key) = holder(&world).await;
    world.faults.forget_calls();
    assert_eq!(key.text.len(), 86);
    for place in 0..key.text.len() {
        let mut text = key.text.clone().into_bytes();
        text[place] = match text[place] {
            b'z' => b'0',
            b'9' => b'A',
            b'Z' | b'_' => b'a',
            other => other + 1,
        };
        let changed = String::from_utf8(text).unwrap();
        for request in [
            world.client.get("/guarded/any").bearer(&changed),
            world.client.get("/guarded/maybe").api_key(&changed),
            world.client.get("/keys").bearer(&changed),
        ] {
            let answer = request.send().await;
            assert_eq!(answer.status, 401, "{place}:\n{}", answer.whole());
            answer.problem("invalid_key");
        }
    }
    for text in [
        &key.text[1..],
        &key.text[..85],
        &format!("{}0", key.text),
        &key.text.to_uppercase(),
        &key.text.replace('_', "-"),
    ] {
        world.guarded(text).await.expect(401).problem("invalid_key");
    }
    assert_eq!(
        world.faults.all_calls(),
        0,
        "a key that was never made reached the store"
    );
    world.guarded(&key.text).await.expect(200);
    assert!(world.faults.all_calls() > 0, "the counter counts");
}

/// Made up, unknown and almost right: the answer is the same, and so it is when the key was revoked long ago.
pub async fn bad_keys_look_alike(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = holder(&world).await;
    let revoked = world.key(&user).await;
    world.revoke(&user, &revoked).await.expect(200);
    let format = key_format();
    let mint = |id: SecretId| {
        let secret = KeySecret::new(entropy::draw(&OsEntropy).unwrap());
        let minted = format.mint(&Environment::live(), id, &secret).unwrap();
        minted.text.expose().to_owned()
    };
    let wrong_secret = |key: &Key| mint(format.parse(&key.text).unwrap().id);
    let mut forged = key.text.clone();
    forged.replace_range(80..81, if &forged[80..81] == "A" { "B" } else { "A" });
    for path in [
        "/keys",
        "/guarded/any",
        "/guarded/reports",
        "/guarded/live",
        "/guarded/maybe",
    ] {
        let get = |text: &str| world.client.get(path).bearer(text).send();
        let garbage = get("garbage").await.expect(401);
        garbage.problem("invalid_key");
        for (what, text) in [
            ("forged", &forged),
            ("unknown", &mint(fixtures::secret_id())),
            ("another secret", &wrong_secret(&key)),
            ("another secret of a revoked key", &wrong_secret(&revoked)),
        ] {
            assert_eq!(
                get(text).await.essence(),
                garbage.essence(),
                "{path}: {what}"
            );
        }
    }
}

/// Whoever reads the store has no credential of it: what is stored is no key, no password and in no answer.
pub async fn a_stored_hash_opens_nothing(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = holder(&world).await;
    let secret = key_format().parse(&key.text).unwrap().id;
    let stored = world.faults.find(secret).await.unwrap().unwrap();
    let account = world.faults.account(user.id.parse().unwrap()).await;
    let password_hash = account.unwrap().unwrap().password_hash;
    for hash in [&stored.secret.hash, &password_hash] {
        let hash = hash.as_str();
        assert!(hash.starts_with("$argon2id$"));
        // Any answer that has it fails the case from here on.
        world.client.never_show(hash);
        let digest = hash.rsplit('$').next().unwrap();
        world.client.never_show(digest);
        let head = &key.text[..key.text.len() - 11 - 43];
        for text in [
            hash,
            digest,
            &format!("{head}{digest}{}", &key.text[key.text.len() - 11..]),
        ] {
            world.guarded(text).await.expect(401).problem("invalid_key");
            let login = world.login(&user.email, text).await;
            login.expect(401).problem("invalid_login");
        }
    }
    for path in ["/keys", &format!("/keys/{}", key.id), "/audit"] {
        let request = world.client.get(path).bearer(&user.token);
        request.send().await.expect(200);
    }
}
