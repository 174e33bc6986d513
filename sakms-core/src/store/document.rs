//! Records as bytes, for stores that keep each as a whole.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Timestamp;
use crate::id::{EntryId, KeyId, SecretId};
use crate::journal::{Action, Actor, ChainHash, JournalEntry, JournalRow, Seq, Subject};
use crate::key::{
    Environment, KeyName, KeyRecord, KeyWithSecrets, Metadata, Owner, Revision, ScopeSet,
    SecretRecord, UsedSecret,
};
use crate::secret::StoredHash;

/// A record as a JSON object in UTF-8: a key ([`KeyRecord`], or [`KeyWithSecrets`]), a [`SecretRecord`] or a
/// [`JournalRow`].
///
/// For databases that know keys and values or documents. Whoever keeps records in this form keeps every field, those of
/// later versions too, without knowing them. A later version reads what an earlier one wrote. An earlier one refuses
/// what it does not know, because it would lose it when it wrote the record back: replace every program that shares a
/// store before the first of them writes something new.
///
/// The object of a secret holds its hash: it is for the store, and for nobody to be shown.
///
/// ```
/// # use sakms_core::{clock::Timestamp, id::KeyId, key::{Environment, KeyRecord}};
/// use sakms_core::store::Document as _;
///
/// let id = KeyId::from_bytes([7; 16]);
/// let key = KeyRecord::new(id, "ada".parse()?, Environment::live(), Timestamp::EPOCH);
/// assert_eq!(KeyRecord::from_document(&key.to_document())?, key);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Document: sealed::Sealed + Sized {
    /// The record as bytes.
    fn to_document(&self) -> Vec<u8>;

    /// The record that [`to_document`](Self::to_document) made these bytes of.
    ///
    /// # Errors
    /// [`InvalidDocument`] when they were not made by this version or an earlier one.
    fn from_document(document: &[u8]) -> Result<Self, InvalidDocument>;
}

/// The bytes are no record of this version or an earlier one; the text says why, and holds nothing of them.
#[derive(Debug)]
pub struct InvalidDocument {
    record: &'static str,
    line: usize,
    column: usize,
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            record,
            line,
            column,
        } = self;
        write!(
            f,
            "a stored {record} cannot be read (line {line}, column {column})"
        )
    }
}

impl std::error::Error for InvalidDocument {}

mod sealed {
    /// Which records there are is decided here.
    pub trait Sealed {}
}

macro_rules! document {
    ($($record:ty, $name:literal, $fields:ident;)*) => {$(
        impl sealed::Sealed for $record {}

        impl Document for $record {
            fn to_document(&self) -> Vec<u8> {
                let mut document = Vec::new();
                // Text and numbers cannot fail to serialise, and a vector takes them.
                let mut serializer = serde_json::Serializer::new(&mut document);
                let _ = $fields::serialize(self, &mut serializer);
                document
            }

            fn from_document(document: &[u8]) -> Result<Self, InvalidDocument> {
                let mut deserializer = serde_json::Deserializer::from_slice(document);
                let read = $fields::deserialize(&mut deserializer);
                let read = read.and_then(|record| deserializer.end().map(|()| record));
                // What serde says of it may quote a value.
                read.map_err(|error| InvalidDocument {
                    record: $name,
                    line: error.line(),
                    column: error.column(),
                })
            }
        }
    )*};
}

document! {
    KeyRecord, "key", KeyFields;
    SecretRecord, "secret", SecretFields;
    KeyWithSecrets, "key with its secrets", KeyWithSecretsFields;
    JournalRow, "journal row", RowFields;
}

// Each of these has the fields of the record whose name it bears, or does not compile. A field that is added gets a
// `#[serde(default)]`, so that documents without it can be read.

#[derive(Serialize, Deserialize)]
#[serde(remote = "KeyRecord", deny_unknown_fields)]
struct KeyFields {
    #[serde(with = "text")]
    id: KeyId,
    #[serde(with = "text")]
    owner: Owner,
    name: KeyName,
    environment: Environment,
    shown_prefix: String,
    scopes: ScopeSet,
    metadata: Metadata,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    disabled_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    #[serde(with = "revision")]
    revision: Revision,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SecretRecord", deny_unknown_fields)]
struct SecretFields {
    #[serde(with = "text")]
    id: SecretId,
    #[serde(with = "text")]
    key: KeyId,
    #[serde(with = "hash")]
    hash: StoredHash,
    shown_prefix: String,
    created_at: Timestamp,
    retired_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "KeyWithSecrets", deny_unknown_fields)]
struct KeyWithSecretsFields {
    #[serde(with = "KeyFields")]
    key: KeyRecord,
    #[serde(with = "used_secrets")]
    secrets: Vec<UsedSecret>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "UsedSecret", deny_unknown_fields)]
struct UsedSecretFields {
    #[serde(with = "SecretFields")]
    record: SecretRecord,
    uses: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "JournalRow", deny_unknown_fields)]
struct RowFields {
    #[serde(with = "seq")]
    seq: Seq,
    #[serde(with = "EntryFields")]
    entry: JournalEntry,
    #[serde(with = "chain")]
    chain: ChainHash,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "JournalEntry", deny_unknown_fields)]
struct EntryFields {
    #[serde(with = "text")]
    id: EntryId,
    at: Timestamp,
    #[serde(with = "actor")]
    actor: Actor,
    #[serde(with = "action")]
    action: Action,
    #[serde(with = "subject")]
    subject: Subject,
    detail: String,
}

/// serde's `with` is for the list as a whole.
mod used_secrets {
    use super::{Deserialize, Deserializer, Serialize, Serializer, UsedSecret, UsedSecretFields};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "UsedSecretFields")] UsedSecret);

    pub(super) fn serialize<S>(secrets: &[UsedSecret], serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
    {
        serializer.collect_seq(secrets.iter().cloned().map(One))
    }

    pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Vec<UsedSecret>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let secrets = Vec::<One>::deserialize(deserializer)?;
        Ok(secrets.into_iter().map(|One(secret)| secret).collect())
    }
}

/// A value as the text that it is parsed from.
mod text {
    use super::{Deserialize, Deserializer, FromStr, Serializer, fmt};

    pub(super) fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: fmt::Display,
        S: Serializer,
    {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A value as what it is made of.
macro_rules! as_its_content {
    ($($module:ident: $value:ident as $content:ty, $get:ident, $make:ident;)*) => {$(
        mod $module {
            use super::{Deserialize as _, Deserializer, Serialize as _, Serializer, $value};

            pub(super) fn serialize<S>(value: &$value, serializer: S) -> Result<S::Ok, S::Error>
            where
                S: Serializer,
            {
                value.$get().serialize(serializer)
            }

            pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<$value, D::Error>
            where
                D: Deserializer<'de>,
            {
                <$content>::deserialize(deserializer).map($value::$make)
            }
        }
    )*};
}

as_its_content! {
    hash: StoredHash as String, as_str, new;
    revision: Revision as u32, get, new;
    seq: Seq as u64, get, new;
    chain: ChainHash as [u8; 32], as_bytes, from_bytes;
    actor: Actor as String, as_str, from_stored;
    action: Action as String, as_str, from_stored;
    subject: Subject as String, as_str, from_stored;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::JournalHead;

    /// A key, a secret, a journal row and a key with that secret, as the first version wrote them. They stay as they are:
    /// later versions read them.
    fn golden() -> [&'static str; 4] {
        let mut lines = include_str!("../../tests/golden/documents_v1.jsonl").lines();
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
        let [golden_key, golden_secret, golden_row, golden_whole] = golden();
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
        let all = [
            written(&key),
            written(&secret),
            written(&row),
            written(&whole),
        ];
        assert_eq!(all, golden());
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        let [key, secret, row, whole] = golden();
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
        ] {
            assert!(KeyRecord::from_document(bytes).is_err());
        }
    }

    #[test]
    fn an_error_quotes_nothing() {
        let [_, secret, _, _] = golden();
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
}
