//! Documents of the first version, and what is refused.

use super::*;
use crate::account::Email;
use crate::journal::JournalHead;

/// A key, a secret, a journal row, a key with that secret and an account, as the first version wrote them. They stay as
/// they are: later versions read them.
fn golden() -> [&'static str; 5] {
    lines(include_str!("../../../tests/golden/documents_v1.jsonl"))
}

/// The same five as the second version writes them; then a key, a key with a secret and an account with everything that
/// it added, a role and an idempotency record.
fn golden_v2() -> [&'static str; 10] {
    lines(include_str!("../../../tests/golden/documents_v2.jsonl"))
}

fn lines<const N: usize>(text: &'static str) -> [&'static str; N] {
    let mut lines = text.lines();
    let found = std::array::from_fn(|_| lines.next().unwrap());
    assert_eq!(lines.next(), None);
    found
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn written<T: Document>(record: &T) -> String {
    String::from_utf8(record.to_document()).unwrap()
}

fn read<T: Document>(document: &str) -> T {
    T::from_document(document.as_bytes()).unwrap()
}

fn key() -> KeyRecord {
    let mut key = KeyRecord::new(
        KeyId::from_bytes([7; 16]),
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
    key
}

fn secret() -> SecretRecord {
    let hash = StoredHash::new("$argon2id$…".into());
    let (id, key) = (SecretId::from_bytes([8; 16]), KeyId::from_bytes([7; 16]));
    SecretRecord::new(id, key, hash, "acme_live_0352BN".into(), at(1))
}

fn account() -> AccountRecord {
    let hash = StoredHash::new("$argon2id$…".into());
    let email = Email::parse("Ada@Example.com").unwrap();
    let mut account = AccountRecord::new(AccountId::from_bytes([10; 16]), &email, hash, at(1));
    account.revision = Revision::new(2);
    account
}

fn counting() -> [u8; 32] {
    std::array::from_fn(|n| u8::try_from(n).unwrap() + 1)
}

#[test]
fn what_the_first_version_wrote_is_read() {
    let row = {
        let entry = JournalEntry::from_parts(
            EntryId::from_bytes([9; 16]),
            at(1),
            Actor::owner(&"ada".parse().unwrap()),
            Action::KEY_CREATE,
            Subject::key(KeyId::from_bytes([7; 16])),
            "d".into(),
        );
        let chain = ChainHash::from_bytes(counting());
        JournalRow::new(JournalHead::START.seq.next(), entry, chain)
    };
    let mut whole = KeyWithSecrets::new(key(), secret());
    whole.secrets[0].uses = 7;

    // Whatever the first version did not know is empty, and written down as such the next time.
    let [v2_key, v2_secret, v2_row, v2_whole, v2_account, ..] = golden_v2();
    let v2 = [v2_key, v2_secret, v2_row, v2_whole, v2_account];
    for [key_text, secret_text, row_text, whole_text, account_text] in [golden(), v2] {
        assert_eq!(read::<KeyRecord>(key_text), key());
        assert_eq!(read::<SecretRecord>(secret_text), secret());
        assert_eq!(read::<JournalRow>(row_text), row);
        assert_eq!(read::<KeyWithSecrets>(whole_text), whole);
        assert_eq!(read::<AccountRecord>(account_text), account());
    }
    let all = [
        written(&key()),
        written(&secret()),
        written(&row),
        written(&whole),
        written(&account()),
    ];
    assert_eq!(all, v2);
}

#[test]
fn what_the_second_version_wrote_is_read() {
    let [
        ..,
        key_text,
        whole_text,
        account_text,
        role_text,
        repeated_text,
    ] = golden_v2();
    let mut key = key();
    key.roles = "reader team:ops".parse().unwrap();
    key.limits = Limits::from_json(
        r#"{"rates":[{"name":"a","requests":5,"seconds":60,"burst":7}],"ip_ranges":["192.0.2.0/24","2001:db8::7/128"],
        "quota":{"amount":9,"refill":"daily"}}"#,
    )
    .unwrap();
    key.tags = "ci nightly".parse().unwrap();
    key.not_before = Some(at(1));
    let mut whole = KeyWithSecrets::new(key.clone(), secret());
    whole.secrets[0].uses = 7;
    whole.secrets[0].last_used_at = Some(at(5));
    whole.secrets[0].last_used_from = Some("192.0.2.7".parse().unwrap());
    let mut account = account();
    account.roles = vec![AccountRole::Admin];
    let role = Role::new("reader".parse().unwrap(), "a:b c:*".parse().unwrap(), at(1));
    let repeated = IdempotencyRecord::new(
        IdempotencyId::from_bytes(counting()),
        RequestDigest::from_bytes([11; 32]),
        key.id,
        secret().id,
        at(1),
    );
    assert_eq!(read::<KeyRecord>(key_text), key);
    assert_eq!(read::<KeyWithSecrets>(whole_text), whole);
    assert_eq!(read::<AccountRecord>(account_text), account);
    assert_eq!(read::<Role>(role_text), role);
    assert_eq!(read::<IdempotencyRecord>(repeated_text), repeated);
    let all = [
        written(&key),
        written(&whole),
        written(&account),
        written(&role),
        written(&repeated),
    ];
    assert_eq!(all, golden_v2()[5..]);
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
fn what_the_second_version_added_is_held_to_its_rules() {
    let [.., key, _, _, role, repeated] = golden_v2();
    for (from, to) in [
        (r#"["reader","#, r#"["READER","#),
        (r#"["ci","#, r#"["c i","#),
        (r#""requests":5"#, r#""requests":0"#),
        (r#""quota":{"#, r#""of_the_next_version":1,"quota":{"#),
        ("192.0.2.0/24", "192.0.2.1/24"),
    ] {
        let changed = key.replacen(from, to, 1);
        assert_ne!(changed, key);
        assert!(
            KeyRecord::from_document(changed.as_bytes()).is_err(),
            "{changed}"
        );
    }
    for (from, to) in [
        (r#""name":"#, r#""of_the_next_version":1,"name":"#),
        (r#""reader""#, r#""""#),
        (r#"["a:b","#, r#"["a","#),
    ] {
        let changed = role.replacen(from, to, 1);
        assert_ne!(changed, role);
        assert!(
            Role::from_document(changed.as_bytes()).is_err(),
            "{changed}"
        );
    }
    for (from, to) in [
        ("[1,2,", "[1,"),
        ("[1,2,", "[1,256,"),
        ("07070707-", "0707"),
    ] {
        let changed = repeated.replacen(from, to, 1);
        assert_ne!(changed, repeated);
        assert!(
            IdempotencyRecord::from_document(changed.as_bytes()).is_err(),
            "{changed}"
        );
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
