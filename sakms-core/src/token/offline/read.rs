//! Reading keys and revocations.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::keys::KeySet;
use super::revoked::Revocation;
use super::source::{Fetched, OfflineSource};
use super::{Known, OfflineVerifier};
use crate::token::TokenError;

/// How often the keys are read when nobody misses one: as long as they may be kept.
const KEYS_EVERY: Duration = Duration::from_mins(5);
/// How often they are when somebody does, whoever that is.
const KEYS_AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// How many pages are read in a row.
const MOST_PAGES: usize = 10_000;

/// Where reading is. One at a time.
#[derive(Debug, Default)]
pub(super) struct Reading {
    position: Option<String>,
    /// When the keys were last asked for, by [`Clock::elapsed`](crate::clock::Clock::elapsed).
    keys_asked_at: Option<Duration>,
}

/// A page of revocations. Members that are not known are of a later version.
#[derive(Deserialize)]
struct Page {
    position: String,
    more: bool,
    revocations: Vec<Revocation>,
}

impl OfflineVerifier {
    /// Reads what is new: the keys, when it is time or one is missing, and the revocations since the last reading. Does nothing
    /// where there is no source.
    ///
    /// # Errors
    /// [`TokenError`] when one of the two could not be read; what was read before goes on to count, up to the bounds.
    pub async fn read(&self) -> Result<(), TokenError> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        let mut reading = self.reading.lock().await;
        let keys = self.read_keys(source.as_ref(), &mut reading).await;
        if self.follows_revocations {
            self.read_revocations(source.as_ref(), &mut reading).await?;
        }
        keys
    }

    /// Reads what is new, again and again, for as long as it is polled: `tokio::spawn` it. When reading fails, that is logged,
    /// once until it works again.
    pub async fn follow(&self) -> Infallible {
        let mut failing = false;
        loop {
            match self.read().await {
                Err(error) if !failing => {
                    failing = true;
                    let cause = std::error::Error::source(&error).map(tracing::field::display);
                    tracing::warn!(%error, cause, bound = ?self.bound, "keys and revocations cannot be read; tokens are refused for want of them past the bound");
                }
                Ok(()) if failing => {
                    failing = false;
                    tracing::info!("keys and revocations can be read again");
                }
                _ => {}
            }
            // Whoever shows a token with an unknown key brings about one reading in a second, and no more.
            let wanted = async {
                self.wanted.notified().await;
                tokio::time::sleep(KEYS_AT_MOST_EVERY).await;
            };
            let _ = tokio::time::timeout(self.every, wanted).await;
        }
    }

    async fn read_keys(
        &self,
        source: &dyn OfflineSource,
        reading: &mut Reading,
    ) -> Result<(), TokenError> {
        let began = self.clock.elapsed();
        if let Some(asked_at) = reading.keys_asked_at {
            let age = began.saturating_sub(asked_at);
            let is_wanted = self.wants_keys.load(Ordering::Acquire);
            let due = if is_wanted {
                KEYS_AT_MOST_EVERY
            } else {
                KEYS_EVERY
            };
            if age < due && !(self.keys_are_missing() && age >= KEYS_AT_MOST_EVERY) {
                return Ok(());
            }
        }
        reading.keys_asked_at = Some(began);
        // Before they are asked for: who misses one meanwhile may be right.
        self.wants_keys.store(false, Ordering::Release);
        let answer = good(source.get("/.well-known/jwks.json").await?)?;
        let keys = Arc::new(KeySet::read(&answer.body)?);
        self.change(|known| {
            known.keys = keys;
            known.keys_at = Some(began);
        });
        Ok(())
    }

    /// Whether reading them has never worked, or not for long.
    fn keys_are_missing(&self) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.elapsed();
        known
            .keys_at
            .is_none_or(|at| now.saturating_sub(at) >= KEYS_EVERY)
    }

    async fn read_revocations(
        &self,
        source: &dyn OfflineSource,
        reading: &mut Reading,
    ) -> Result<(), TokenError> {
        let began = self.clock.elapsed();
        // From the beginning on, what is read takes the place of what was known when it is complete.
        let mut anew = reading.position.is_none().then(|| self.empty());
        let mut position = reading.position.clone();
        for _ in 0..MOST_PAGES {
            let mut target = "/oauth/revocations?limit=500".to_owned();
            if let Some(position) = &position {
                target.push_str("&after=");
                target.push_str(position);
            }
            let answer = source.get(&target).await?;
            if answer.status == 410 && position.is_some() {
                tracing::warn!(
                    "the issuer's journal is not the one that was read before; its revocations are read anew"
                );
                (reading.position, position, anew) = (None, None, Some(self.empty()));
                continue;
            }
            let page: Page =
                serde_json::from_slice(&good(answer)?.body).map_err(TokenError::new)?;
            if !is_position(&page.position) {
                return Err(TokenError::new("the issuer gave no position"));
            }
            position = Some(page.position);
            if let Some(set) = &mut anew {
                page.revocations.into_iter().for_each(|one| set.apply(one));
            } else {
                self.change(|known| {
                    let revocations = page.revocations.into_iter();
                    revocations.for_each(|one| known.revoked.apply(one));
                });
                reading.position.clone_from(&position);
            }
            if !page.more {
                reading.position = position;
                let now = self.clock.now();
                self.change(|known| {
                    if let Some(set) = anew {
                        known.revoked = set;
                    }
                    known.revoked.prune(now);
                    known.revoked_at = Some(began);
                });
                return Ok(());
            }
        }
        Err(TokenError::new("the revocations have no end"))
    }

    fn empty(&self) -> super::revoked::RevokedSet {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.revoked.anew()
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

fn good(answer: Fetched) -> Result<Fetched, TokenError> {
    if answer.status != 200 {
        return Err(TokenError::new(format!(
            "the issuer answered {}",
            answer.status
        )));
    }
    if answer.body.len() > Fetched::MAX_BYTES {
        return Err(TokenError::new("the issuer's answer is too long"));
    }
    Ok(answer)
}

/// It goes into a query.
fn is_position(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b':';
    (1..=100).contains(&text.len()) && text.bytes().all(fits)
}
