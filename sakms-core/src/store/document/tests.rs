//! Documents of the first version, and what is refused.

use super::*;
use crate::account::Email;
use crate::journal::JournalHead;

/// A key, a secret, a journal row, a key with that secret and an account, as the first version wrote them. They stay as
/// they are: later versions read them.
fn golden() -> [&'static str; 5] {
    let mut lines = include_str!("../../../tests/golden/documents_v1.jsonl").lines();
    std::array::from_fn(|_| lines.next().unwrap())
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn written<T: Document>(record: &T) -> String {
    String::from_utf8(record.to_document()).unwrap()
}

#[test]
fn what_the_first_version_wrote_is_read() {
    let [
        golden_key,
        golden_secret,
        golden_row,
        golden_whole,
        golden_account,
    ] = golden();
    let id = KeyId::from_bytes([7; 16]);
    let mut key = KeyRecord::new(
        id,
        "ada \"L.\"".parse().unwrap(),
        Environment::live(),
        at(1),
    );
    key.name = "laptop 🔑".parse().unwrap();
    key.shown_prefix = "acme_live_0352BN".into();
    key.scopes = "a:b c:*".parse().unwrap();
    key.metadata = Metadata::from_json(r#"{"team":"x"}"#).unwrap();
    key.expires_at = Some(at(2));
    key.disabled_at = Some(at(3));
    key.revoked_at = Some(at(4));
    key.last_used_at = Some(at(5));
    key.revision = Revision::new(6);
    assert_eq!(
        KeyRecord::from_document(golden_key.as_bytes()).unwrap(),
        key
    );

    let hash = StoredHash::new("$argon2id$…".into());
    let shown = "acme_live_0352BN".into();
    let secret = SecretRecord::new(SecretId::from_bytes([8; 16]), id, hash, shown, at(1));
    assert_eq!(
        SecretRecord::from_document(golden_secret.as_bytes()).unwrap(),
        secret
    );

    let entry = JournalEntry::from_parts(
        EntryId::from_bytes([9; 16]),
        at(1),
        Actor::owner(&"ada".parse().unwrap()),
        Action::KEY_CREATE,
        Subject::key(id),
        "d".into(),
    );
    let chain = ChainHash::from_bytes(std::array::from_fn(|n| u8::try_from(n).unwrap() + 1));
    let row = JournalRow::new(JournalHead::START.seq.next(), entry, chain);
    assert_eq!(
        JournalRow::from_document(golden_row.as_bytes()).unwrap(),
        row
    );

    let mut whole = KeyWithSecrets::new(key.clone(), secret.clone());
    whole.secrets[0].uses = 7;
    assert_eq!(
        KeyWithSecrets::from_document(golden_whole.as_bytes()).unwrap(),
        whole
    );

    let hash = StoredHash::new("$argon2id$…".into());
    let email = Email::parse("Ada@Example.com").unwrap();
    let mut account = AccountRecord::new(AccountId::from_bytes([10; 16]), &email, hash, at(1));
    account.revision = Revision::new(2);
    let read = AccountRecord::from_document(golden_account.as_bytes()).unwrap();
    assert_eq!(read, account);
    let all = [
        written(&key),
        written(&secret),
        written(&row),
        written(&whole),
        written(&account),
    ];
    assert_eq!(all, golden());
}

#[test]
fn what_would_be_lost_is_refused() {
    let [key, secret, row, whole, account] = golden();
    for (from, to) in [
        (r#""owner":"#, r#""of_the_next_version":1,"owner":"#),
        (r#""revision":6"#, r#""revision":6,"of_the_next_version":1"#),
        (r#","revision":6"#, ""),
        (r#""revision":6"#, r#""revision":"6""#),
        (r#""revision":6"#, r#""revision":-1"#),
        ("07070707-", "0707"),
        (r#""name":"laptop"#, r#""name":null,"x":"#),
        (r#""environment":"live""#, r#""environment":"LIVE""#),
        (r#"["a:b","#, r#"["a","#),
        ("6}", "6}}"),
        ("6}", "6"),
    ] {
        let changed = key.replacen(from, to, 1);
        assert_ne!(changed, key);
        let read = KeyRecord::from_document(changed.as_bytes());
        assert!(read.is_err(), "{changed}");
    }
    for bytes in [
        &b""[..],
        b"\xFF",
        b"null",
        b"[]",
        secret.as_bytes(),
        row.as_bytes(),
        whole.as_bytes(),
        account.as_bytes(),
    ] {
        assert!(KeyRecord::from_document(bytes).is_err());
    }
}

#[test]
fn an_error_quotes_nothing() {
    let [_, secret, ..] = golden();
    let secret = secret
        .replace("$argon2id$", "$argon2id\u{0}$")
        .replace("null", "\"$argon2id$\"");
    let error = SecretRecord::from_document(secret.as_bytes()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("a stored secret cannot be read (line 1, column ")
    );
    assert!(!format!("{error:?}{error}").contains("argon2"));
}
