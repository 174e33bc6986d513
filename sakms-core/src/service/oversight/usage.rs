//! How a key was used, by day.

use crate::id::KeyId;
use crate::key::{Day, DayUse};
use crate::service::Sakms;
use crate::service::caller::Caller;
use crate::service::error::Error;

/// How a key was used from one day to another, both of them included.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUsage {
    /// Which key.
    pub key: KeyId,
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
    /// The days on which something was counted, in order.
    pub days: Vec<DayUse>,
}

impl KeyUsage {
    /// How many days are shown at most.
    pub const MOST_DAYS: u32 = 400;
    /// How many days are shown when nothing is said.
    pub const DEFAULT_DAYS: u32 = 30;

    /// How often it was let in on all of these days.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        self.days
            .iter()
            .map(|day| day.allowed)
            .fold(0, u64::saturating_add)
    }

    /// How often it was refused on all of these days, though its secret was right.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.days
            .iter()
            .map(|day| day.refused)
            .fold(0, u64::saturating_add)
    }
}

impl Sakms {
    /// How one of the keys that the caller may manage was used, day by day (UTC): to today when no end is named, and the
    /// last 30 days to it when no beginning is. What was counted since the last flush is not in it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such key, or it is another owner's; [`Error::Invalid`] for an end before the
    /// beginning or more than 400 days; [`Error::Store`] when it could not be read.
    #[tracing::instrument(name = "sakms.key.usage", skip_all, fields(key = %id))]
    pub async fn key_usage(
        &self,
        caller: &Caller,
        id: KeyId,
        from: Option<Day>,
        to: Option<Day>,
    ) -> Result<KeyUsage, Error> {
        let to = to.unwrap_or_else(|| Day::of(self.inner.clock.now()));
        let from = from.unwrap_or_else(|| to.earlier_by(KeyUsage::DEFAULT_DAYS - 1));
        if to < from {
            return Err(Error::field("to", "must not be before `from`"));
        }
        if to.number() - from.number() >= KeyUsage::MOST_DAYS {
            return Err(Error::field(
                "from",
                "must be at most 400 days before the end of the last day",
            ));
        }
        let key = self.get_key(caller, id).await?.id;
        let days = self.inner.keys.usage(key, from, to).await?;
        Ok(KeyUsage {
            key,
            from,
            to,
            days,
        })
    }
}
