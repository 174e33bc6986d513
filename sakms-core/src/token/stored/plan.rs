//! Which key signs when, and until when each verifies. It follows from the records and the time alone, so that every node
//! comes to the same.

use zeroize::Zeroizing;

use super::StoredKey;
use super::sealed::{self, KeySeal};
use crate::clock::Timestamp;
use crate::store::StateRecord;
use crate::token::{Keyring, SigningKey, TokenAlgorithm, TokenError, VerifyingKey};

/// The keys in the order of their numbers.
#[derive(Debug)]
pub(super) struct Plan(Vec<Planned>);

struct Planned {
    number: u64,
    signs_from: Timestamp,
    ends_at: Option<Timestamp>,
    kid: String,
    algorithm: TokenAlgorithm,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planned")
            .field("number", &self.number)
            .field("kid", &self.kid)
            .field("signs_from", &self.signs_from)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// What the records say. One that was sealed under a master key that is not listed is passed over.
    pub(super) fn of(records: &[StateRecord], seal: &KeySeal) -> Self {
        let mut keys = Vec::new();
        for record in records {
            let body = seal.open(record.id, &record.value);
            let (Some(number), Some(body)) = (sealed::number(record), body) else {
                tracing::warn!(id = ?record.id, "a signing key was sealed under another master key");
                continue;
            };
            let pkcs8 = body.key.pkcs8().unwrap_or_default().to_vec();
            keys.push((
                body.others_end_at,
                Planned {
                    number,
                    signs_from: body.signs_from,
                    ends_at: None,
                    kid: body.key.kid().to_owned(),
                    algorithm: body.key.algorithm(),
                    pkcs8: Zeroizing::new(pkcs8),
                },
            ));
        }
        keys.sort_by_key(|(_, key)| key.number);
        // The earliest end that one of those after it sets.
        let mut end = None::<Timestamp>;
        for (others_end_at, key) in keys.iter_mut().rev() {
            key.ends_at = end;
            end = Some(end.map_or(*others_end_at, |end| end.min(*others_end_at)));
        }
        Self(keys.into_iter().map(|(_, key)| key).collect())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn kid_of(&self, number: u64) -> Option<String> {
        let key = self.0.iter().find(|key| key.number == number)?;
        Some(key.kid.clone())
    }

    /// The newest of those whose time has come; with a clock that is behind, the oldest.
    fn signing(&self, now: Timestamp) -> Option<&Planned> {
        let come = self.0.iter().rev().find(|key| key.signs_from <= now);
        come.or(self.0.first())
    }

    /// The ring of this moment, and when it is another.
    pub(super) fn keyring(&self, now: Timestamp) -> Result<(Keyring, Timestamp), TokenError> {
        let signing = self.signing(now);
        let signing = signing.ok_or_else(|| TokenError::new("there is no signing key"))?;
        let key =
            |planned: &Planned| SigningKey::from_pkcs8_der(&planned.pkcs8).map_err(TokenError::new);
        let mut ring = Keyring::new(key(signing)?);
        // Those that have ended too: their tokens are denied without anybody being asked.
        let others = self.0.iter().rev();
        let others = others.filter(|other| other.number != signing.number);
        for other in others.take(Keyring::MAX_VERIFYING) {
            let verifying = VerifyingKey::from(key(other)?);
            let verifying = match other.ends_at {
                Some(end) => verifying.until(end),
                None => verifying,
            };
            ring = ring.also_verify(verifying).map_err(TokenError::new)?;
        }
        let later = self.0.iter().map(|key| key.signs_from);
        let next = later.filter(|moment| *moment > now).min();
        Ok((ring, next.unwrap_or(Timestamp::MAX)))
    }

    /// The records of keys that have ended.
    pub(super) fn ended<'a>(
        &self,
        records: &'a [StateRecord],
        now: Timestamp,
    ) -> impl Iterator<Item = &'a StateRecord> {
        let over = |key: &&Planned| key.ends_at.is_some_and(|end| end <= now);
        let over: Vec<_> = self.0.iter().filter(over).map(|key| key.number).collect();
        let ended = move |record: &&StateRecord| {
            sealed::number(record).is_some_and(|number| over.contains(&number))
        };
        records.iter().filter(ended)
    }

    pub(super) fn told(&self, now: Timestamp) -> Vec<StoredKey> {
        let signing = self.signing(now).map(|key| key.number);
        let told = |key: &Planned| StoredKey {
            kid: key.kid.clone(),
            algorithm: key.algorithm,
            signs_from: key.signs_from,
            ends_at: key.ends_at,
            signs: Some(key.number) == signing,
        };
        self.0.iter().rev().map(told).collect()
    }
}
