//! What the sweep does not set: keys that sign tokens, kept in the database; keys hashed with Argon2; sign-ins that are slowed
//! down; codes in mail. And the files of the database, once it has ended.

use std::path::Path;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use serde_json::json;

use super::everywhere::{NEW_PASSWORD, WRONG_PASSWORD};
use crate::support::canaries::Canaries;
use crate::support::flow::{self, PASSWORD};
use crate::support::mail::{code, mail};
use crate::support::server::{MASTER_KEY, Server};
use crate::support::site::Site;

const ADA: &str = "ada@example.com";
/// PKCS#8 of an Ed25519 key (RFC 8410): what stands before its 32 secret bytes.
const BEFORE_SEED: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// What stands in a record before the key: a byte for the form, and two moments.
const HEADER: usize = 1 + 8 + 8;

/// What the database has, once the server has ended.
pub(crate) struct Kept {
    /// The hashes of keys and passwords.
    pub(crate) hashes: Vec<String>,
    /// The records of keys that sign tokens: id and sealed value.
    pub(crate) signing_keys: Vec<(Vec<u8>, Vec<u8>)>,
    /// Its files, by name.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// Goes through it all on this database, ends the server, and looks for what must not be seen.
pub(crate) fn run(site: &Site, url: &str, kept: impl FnOnce() -> Kept) {
    let settings = [
        ("SAKMS_DATABASE_URL", url),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("SAKMS_LOG", "trace,actix_http=trace"),
        ("SAKMS_THROTTLE_ACCOUNT_FREE", "3"),
        ("SAKMS_THROTTLE_ACCOUNT_MOST", "3"),
        ("SAKMS_MAIL_FROM", "Acme <no-reply@acme.example>"),
        ("SAKMS_MAIL_DIR", "mail"),
    ];
    let mut server = site.start(&settings);
    let mut canaries = Canaries::default();
    canaries.text("the master key", MASTER_KEY);
    for password in [PASSWORD, NEW_PASSWORD, WRONG_PASSWORD] {
        canaries.text("a password", password);
    }
    flow::register(&server, ADA);
    let mut said = keys(&server, &mut canaries);
    said.extend(reset(&server, site.folder(), &mut canaries));
    said.extend(guesses(&server));
    for command in [
        &["keyring", "list"][..],
        &["keyring", "rotate"],
        &["keyring", "list"],
    ] {
        let (status, out, errors) = site.run(command, &settings);
        assert_eq!(status, 0, "{errors}");
        said.push((command.join(" "), out + &errors));
    }
    server.signal("TERM");
    server.wait(Duration::from_secs(20));
    said.push(("stdout".to_owned(), server.stdout()));
    said.push(("stderr".to_owned(), server.log()));

    let kept = kept();
    // What was not hashed with Argon2 is not what this test is about.
    assert!(
        kept.hashes
            .iter()
            .all(|hash| hash.starts_with("$argon2id$"))
    );
    assert!(kept.hashes.len() >= 2 && kept.signing_keys.len() >= 2);
    for hash in &kept.hashes {
        canaries.stored("a stored hash", hash);
    }
    for (id, sealed) in &kept.signing_keys {
        let seed = seed(id, sealed);
        canaries.bytes("a key that signs tokens", &seed);
    }
    let mut found = canaries.found_in(said.iter().map(|(place, text)| (&**place, &**text)));
    for (name, bytes) in &kept.files {
        found.extend(canaries.found_in_database(name, bytes));
    }
    let log = server.log();
    assert!(
        log.contains(" TRACE ") && log.contains(" DEBUG "),
        "{}",
        log.len()
    );
    assert!(found.is_empty(), "{found:#?}");
}

type Said = Vec<(String, String)>;

/// A key that is used, mistyped and revoked.
fn keys(server: &Server, canaries: &mut Canaries) -> Said {
    let token = flow::login(server, ADA);
    canaries.token(&token);
    let bearer = format!("Bearer {token}");
    let bearer = [("Authorization", bearer.as_str())];
    let made = server.send("POST", "/keys", &bearer, r#"{"name":"laptop"}"#);
    let (key, id) = (made.text("api_key"), made.text("id"));
    canaries.key(&key);
    let mut said = Said::new();
    let mut send = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let answer = server.send(method, path, headers, "");
        said.push((
            format!("{} to {path}", answer.status),
            answer.head + &answer.body,
        ));
        answer.status
    };
    let shown = [("X-API-Key", key.as_str())];
    assert_eq!(send("GET", "/demo/protected", &shown), 200);
    let mistyped = [("X-API-Key", &key[1..])];
    assert_eq!(send("GET", "/demo/protected", &mistyped), 401);
    assert_eq!(send("POST", &format!("/keys/{id}/revoke"), &bearer), 200);
    assert_eq!(send("GET", "/demo/protected", &shown), 401);
    said
}

/// A password that is reset with a code, which is shown again, cut short, and put where it does not belong.
fn reset(server: &Server, folder: &Path, canaries: &mut Canaries) -> Said {
    let mut said = Said::new();
    let mut post = |path: &str, body: serde_json::Value| {
        let answer = server.send("POST", path, &[], &body.to_string());
        said.push((
            format!("{} to {path}", answer.status),
            answer.head + &answer.body,
        ));
        answer.status
    };
    assert_eq!(post("/auth/reset", json!({"email": ADA})), 202);
    let code = code(&mail(folder, "Reset your password"), "");
    canaries.text("a code", &code);
    let confirm = |code: &str| json!({"code": code, "new_password": NEW_PASSWORD});
    assert_eq!(post("/auth/reset/confirm", confirm(&code[..40])), 400);
    assert_eq!(
        post(
            &format!("/auth/reset/confirm?code={code}"),
            json!({"code": [code]})
        ),
        422
    );
    assert_eq!(post("/auth/reset/confirm", confirm(&code)), 200);
    assert_eq!(post("/auth/reset/confirm", confirm(&code)), 400);
    said
}

/// Wrong passwords until no more are tried.
fn guesses(server: &Server) -> Said {
    let body = json!({"email": ADA, "password": WRONG_PASSWORD}).to_string();
    let answers = std::iter::repeat_with(|| server.send("POST", "/auth/login", &[], &body));
    let answers: Vec<_> = answers.take(8).collect();
    assert!(answers.iter().any(|answer| answer.status == 429));
    let said = answers.into_iter();
    said.map(|answer| {
        (
            format!("{} to a guess", answer.status),
            answer.head + &answer.body,
        )
    })
    .collect()
}

/// The secret bytes of a key, opened as `sakms_core` seals them: AES-256-GCM under a subkey that HKDF makes of the master key.
fn seed(id: &[u8], value: &[u8]) -> [u8; 32] {
    let master: Vec<u8> = (0..32).collect();
    let subkey = Salt::new(HKDF_SHA256, b"sakms master key v1").extract(&master);
    let subkey = subkey
        .expand(&[b"sakms signing key seal v1"], &AES_256_GCM)
        .unwrap();
    let key = LessSafeKey::new(UnboundKey::from(subkey));
    let (nonce, sealed) = value.split_first_chunk::<NONCE_LEN>().unwrap();
    let mut room = sealed.to_vec();
    let aad = Aad::from([&b"signing_key\0"[..], id].concat());
    let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut room);
    let pkcs8 = &opened.unwrap()[HEADER..];
    let seed = pkcs8.strip_prefix(&BEFORE_SEED).unwrap();
    *seed.first_chunk().unwrap()
}
