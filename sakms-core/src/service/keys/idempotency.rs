//! Requests that are repeated because their answer was lost (draft-ietf-httpapi-idempotency-key-header).
//!
//! What is kept of a request is two keyed digests and which key it made. The secret it made is nowhere: it cannot be shown
//! again. Whoever lost it rotates the key, with an overlap of zero, and has another one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::super::caller::Caller;
use super::super::error::Error;
use super::super::{Inner, Sakms};
use super::CreatedKey;
use super::create::NewKey;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::master::Purpose;
use crate::key::{InvalidField, KeyRecord, Limits, MasterKeys};
use crate::store::{IdempotencyId, IdempotencyRecord, RequestDigest, StoreErrorKind};

/// What a client sends to have a repeated request known: 1 to 255 printable ASCII characters, drawn anew for each request.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// The longest one in characters.
    pub const MAX_CHARS: usize = 255;
}

impl FromStr for IdempotencyKey {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if printable && (1..=Self::MAX_CHARS).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidField(
                "an idempotency key is 1 to 255 printable ASCII characters",
            ))
        }
    }
}

impl fmt::Debug for IdempotencyKey {
    /// Nothing of it: clients put what they like into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey")
    }
}

/// What came of a request that may be a repeated one.
#[derive(Debug)]
#[non_exhaustive]
pub enum Once {
    /// It was carried out.
    Made(Box<CreatedKey>),
    /// It had been carried out before. This is the key it made or changed, as it is now, without a text.
    Replayed(Box<KeyRecord>),
}

/// What stands for a request that is to be known again.
#[derive(Debug)]
pub(super) struct Request {
    /// Under the current master key first. A request that was made under an earlier one is still known.
    ids: Vec<(IdempotencyId, RequestDigest)>,
}

impl Request {
    pub(super) fn record(&self, key: KeyId, secret: SecretId, at: Timestamp) -> IdempotencyRecord {
        let (id, digest) = self.ids[0];
        IdempotencyRecord::new(id, digest, key, secret, at)
    }
}

/// Makes the digests under subkeys of the master keys, so that a store cannot tell what was asked with which key.
pub(in crate::service) struct IdempotencySeal(Vec<Hmac<Sha256>>);

impl IdempotencySeal {
    pub(in crate::service) fn new(keys: &MasterKeys) -> Self {
        Self(keys.macs(Purpose::Idempotency))
    }

    fn request(&self, caller: &Caller, what: &What<'_>, key: &IdempotencyKey) -> Request {
        let actor = caller.actor();
        let digests = |seal: &Hmac<Sha256>| {
            let id = what.route(Digest::new(seal, "id").part(actor.as_str()).part(&key.0));
            let digest = what.body(Digest::new(seal, "request"));
            (
                IdempotencyId::from_bytes(id.finish()),
                RequestDigest::from_bytes(digest.finish()),
            )
        };
        Request {
            ids: self.0.iter().map(digests).collect(),
        }
    }
}

/// What is asked.
enum What<'a> {
    Create(&'a NewKey),
    Rotate(KeyId, Option<Duration>),
}

impl What<'_> {
    fn route(&self, digest: Digest) -> Digest {
        match self {
            Self::Create(_) => digest.part("create"),
            Self::Rotate(id, _) => digest.part("rotate").part(&id.to_string()),
        }
    }

    /// Everything that was asked, as it was asked: a default that follows from the clock is another one the next time.
    fn body(&self, digest: Digest) -> Digest {
        match self {
            Self::Create(new) => {
                let NewKey {
                    name,
                    owner,
                    scopes,
                    roles,
                    limits,
                    tags,
                    environment,
                    not_before,
                    expires_at,
                    metadata,
                } = new;
                digest
                    .part(name.as_str())
                    .maybe(owner.as_ref())
                    .part(&scopes.to_string())
                    .part(&roles.to_string())
                    .maybe(limits.as_ref().map(Limits::to_json))
                    .part(&tags.to_string())
                    .maybe(environment.as_ref())
                    .maybe(*not_before)
                    .maybe(*expires_at)
                    .part(&metadata.to_json())
            }
            Self::Rotate(_, overlap) => digest.maybe(overlap.map(|span| span.as_micros())),
        }
    }
}

/// A digest of parts, of which none can run into the next.
struct Digest(Hmac<Sha256>);

impl Digest {
    fn new(seal: &Hmac<Sha256>, label: &str) -> Self {
        Self(seal.clone()).part(label)
    }

    fn part(mut self, text: &str) -> Self {
        self.0.update(&(text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
        self
    }

    fn maybe(self, value: Option<impl fmt::Display>) -> Self {
        match value {
            None => self.part("-"),
            Some(value) => self.part("+").part(&value.to_string()),
        }
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

impl Sakms {
    /// Makes a key, once: the same request by the same caller with the same idempotency key makes no second one, also when
    /// its answer was lost. It is known for a day ([`remember_requests`](super::super::SakmsBuilder::remember_requests)).
    ///
    /// The text of a key is shown once and kept nowhere, so a repeated request is answered without it. Whoever lost it has the
    /// key rotated with an overlap of zero ([`Sakms::rotate_key`]) and has another text.
    ///
    /// ```
    /// # use sakms_core::key::MasterKey;
    /// # use sakms_core::entropy::OsEntropy;
    /// # use sakms_core::service::{Caller, NewKey, Once, Sakms};
    /// # use sakms_core::store::MemoryStore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?).build()?;
    /// let ada = Caller::owner("ada".parse()?);
    /// let (new, request) = (NewKey::named("laptop".parse()?), "8e03978e-40d5".parse()?);
    /// let Once::Made(created) = sakms.create_key_once(&ada, new.clone(), &request).await? else {
    ///     unreachable!("nobody has asked before");
    /// };
    /// let Once::Replayed(key) = sakms.create_key_once(&ada, new, &request).await? else {
    ///     unreachable!("it is the same request");
    /// };
    /// assert_eq!(key.id, created.key.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::IdempotencyKeyReused`] when something else was asked with this key; else as for
    /// [`Sakms::create_key`].
    pub async fn create_key_once(
        &self,
        caller: &Caller,
        new: NewKey,
        key: &IdempotencyKey,
    ) -> Result<Once, Error> {
        let requests = &self.inner.requests;
        let request = requests.request(caller, &What::Create(&new), key);
        if let Some(known) = self.known(caller, &request).await? {
            return Ok(known);
        }
        let made = self.create(caller, new, Some(&request)).await;
        self.unless_known(caller, &request, made).await
    }

    /// Rotates a key, once, as [`Sakms::create_key_once`] makes one. Whoever lost the text takes the rotation back
    /// ([`Sakms::cancel_rotation`]), when its overlap lasts, and rotates anew.
    ///
    /// # Errors
    /// [`Error::IdempotencyKeyReused`] when something else was asked with this key; else as for
    /// [`Sakms::rotate_key`].
    pub async fn rotate_key_once(
        &self,
        caller: &Caller,
        id: KeyId,
        overlap: Option<Duration>,
        key: &IdempotencyKey,
    ) -> Result<Once, Error> {
        let requests = &self.inner.requests;
        let request = requests.request(caller, &What::Rotate(id, overlap), key);
        if let Some(known) = self.known(caller, &request).await? {
            return Ok(known);
        }
        let made = self.rotate(caller, id, overlap, Some(&request)).await;
        self.unless_known(caller, &request, made).await
    }

    /// What came of the request when it was made before.
    async fn known(&self, caller: &Caller, request: &Request) -> Result<Option<Once>, Error> {
        let Inner {
            keys, forgetter, ..
        } = &*self.inner;
        forgetter.ensure_running();
        for (id, digest) in &request.ids {
            let Some(record) = keys.idempotency(id).await? else {
                continue;
            };
            if record.at < forgetter.remembered_since() {
                // It is to be forgotten, and only nobody has done so yet.
                forgetter.forget().await?;
                continue;
            }
            if record.request != *digest {
                return Err(Error::IdempotencyKeyReused);
            }
            let key = self.owned_key(caller, record.key).await?;
            return Ok(Some(Once::Replayed(Box::new(key))));
        }
        Ok(None)
    }

    /// What was made, unless the same request was faster.
    async fn unless_known(
        &self,
        caller: &Caller,
        request: &Request,
        made: Result<CreatedKey, Error>,
    ) -> Result<Once, Error> {
        let error = match made {
            Ok(created) => return Ok(Once::Made(Box::new(created))),
            Err(error) => error,
        };
        // What the twin made may be what is in the way of this one.
        let may_be_a_twin = match &error {
            Error::TooManyKeys | Error::RotationInProgress | Error::Contended => true,
            Error::Store(error) => error.kind() == StoreErrorKind::Conflict,
            _ => false,
        };
        let known = if may_be_a_twin {
            self.known(caller, request).await?
        } else {
            None
        };
        known.ok_or(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;
    use crate::key::MasterKey;

    #[test]
    fn a_request_is_its_caller_its_route_its_key_and_all_that_is_asked() {
        let seal = IdempotencySeal::new(&MasterKey::generate(&OsEntropy).unwrap().into());
        let (ada, bob) = (
            Caller::owner("ada".parse().unwrap()),
            Caller::owner("bob".parse().unwrap()),
        );
        let key = |text: &str| text.parse::<IdempotencyKey>().unwrap();
        let new = NewKey::default();
        let create = What::Create(&new);
        let first = seal.request(&ada, &create, &key("1")).ids;
        assert_eq!(seal.request(&ada, &create, &key("1")).ids, first);
        assert_ne!(seal.request(&ada, &create, &key("2")).ids[0].0, first[0].0);
        assert_ne!(seal.request(&bob, &create, &key("1")).ids[0].0, first[0].0);
        let id = KeyId::from_bytes([1; 16]);
        let rotate = seal.request(&ada, &What::Rotate(id, None), &key("1")).ids;
        assert_ne!(rotate[0].0, first[0].0);
        let other = What::Rotate(KeyId::from_bytes([2; 16]), None);
        assert_ne!(seal.request(&ada, &other, &key("1")).ids[0].0, rotate[0].0);
        let other = What::Rotate(id, Some(Duration::ZERO));
        let zero = seal.request(&ada, &other, &key("1")).ids;
        assert_eq!(zero[0].0, rotate[0].0);
        assert_ne!(zero[0].1, rotate[0].1, "no word about it is not zero");

        let changes: [fn(&mut NewKey); 10] = [
            |new| new.name = "x".parse().unwrap(),
            |new| new.owner = Some("ada".parse().unwrap()),
            |new| new.scopes = "a:b".parse().unwrap(),
            |new| new.roles = "a".parse().unwrap(),
            |new| new.limits = Some(Limits::default()),
            |new| new.tags = "a".parse().unwrap(),
            |new| new.environment = Some(crate::key::Environment::live()),
            |new| new.not_before = Some(Timestamp::EPOCH),
            |new| new.expires_at = Some(Timestamp::EPOCH),
            |new| new.metadata = crate::key::Metadata::from_json(r#"{"a":"b"}"#).unwrap(),
        ];
        let mut seen = vec![first[0].1];
        for change in changes {
            let mut new = NewKey::default();
            change(&mut new);
            let request = seal.request(&ada, &What::Create(&new), &key("1")).ids;
            assert_eq!(request[0].0, first[0].0);
            assert!(!seen.contains(&request[0].1), "{new:?}");
            seen.push(request[0].1);
        }
    }

    #[test]
    fn an_idempotency_key_is_printable_and_has_an_end() {
        for good in ["1", "\"8e03978e\"", " ", &"~".repeat(255)] {
            assert!(good.parse::<IdempotencyKey>().is_ok(), "{good}");
        }
        for bad in ["", "\u{e9}", "a\tb", "a\u{7f}", &"x".repeat(256)] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad}");
        }
    }
}
