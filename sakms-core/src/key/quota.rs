//! How much of a quota was taken, for stores that keep it as a whole.

use crate::clock::Timestamp;

/// How much of a key's quota was taken in the last period that something was taken in.
///
/// What [`KeyStore::take_quota`](crate::store::KeyStore::take_quota) says is done here. That nobody else takes at the
/// same time is the store's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuotaState {
    /// When the period began.
    pub period: Timestamp,
    /// How much was taken in it.
    pub taken: u64,
}

impl QuotaState {
    /// Nothing was ever taken.
    pub const NONE: Self = Self::new(Timestamp::EPOCH, 0);

    /// The most that is ever taken in a period, however large the quota is: 2⁶³ − 1, which is what a signed column holds.
    pub const MOST: u64 = i64::MAX.unsigned_abs();

    /// So much was taken in this period.
    #[must_use]
    pub const fn new(period: Timestamp, taken: u64) -> Self {
        Self { period, taken }
    }

    /// How much was taken in a period.
    #[must_use]
    pub fn taken_in(&self, period: Timestamp) -> u64 {
        if self.period == period { self.taken } else { 0 }
    }

    /// Takes `cost` out of `amount` in a period, and gives what is left of the amount; `None`, and nothing is taken, when
    /// less than that is left, when it would be more than [`QuotaState::MOST`], or when the period is an earlier one than
    /// the last.
    pub fn take(&mut self, period: Timestamp, amount: u64, cost: u64) -> Option<u64> {
        if period < self.period {
            return None;
        }
        let taken = self.taken_in(period);
        let room = amount.min(Self::MOST).saturating_sub(taken);
        room.checked_sub(cost)?;
        *self = Self::new(period, taken.saturating_add(cost));
        Some(amount.saturating_sub(self.taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    #[test]
    fn no_more_is_taken_than_there_is() {
        let mut quota = QuotaState::NONE;
        assert_eq!(quota.take(at(5), 10, 4), Some(6));
        assert_eq!(quota.take(at(5), 10, 7), None);
        assert_eq!(quota.take(at(5), 10, 6), Some(0));
        assert_eq!(quota.take(at(5), 10, 1), None);
        assert_eq!(quota.take(at(5), 10, 0), Some(0));
        // Lowered below what was taken, and raised again.
        assert_eq!(quota.take(at(5), 3, 1), None);
        assert_eq!(quota.take(at(5), 12, 1), Some(1));
        assert_eq!(quota, QuotaState::new(at(5), 11));
    }

    #[test]
    fn a_period_starts_afresh_and_does_not_come_back() {
        let mut quota = QuotaState::new(at(5), 10);
        assert_eq!(quota.take(at(6), 10, 11), None);
        assert_eq!(quota.taken_in(at(5)), 10);
        assert_eq!(quota.take(at(6), 10, 1), Some(9));
        assert_eq!(quota.take(at(5), 20, 1), None);
        assert_eq!((quota.taken_in(at(5)), quota.taken_in(at(6))), (0, 1));
    }

    #[test]
    fn the_largest_numbers_do_not_wrap() {
        let mut quota = QuotaState::NONE;
        let most = QuotaState::MOST;
        assert_eq!(quota.take(at(0), u64::MAX, u64::MAX), None);
        assert_eq!(quota.take(at(0), u64::MAX, most + 1), None);
        let left = u64::MAX - most;
        assert_eq!(quota.take(at(0), u64::MAX, most - 1), Some(left + 1));
        assert_eq!(quota.take(at(0), u64::MAX, u64::MAX), None);
        assert_eq!(quota.take(at(0), u64::MAX, 1), Some(left));
        assert_eq!(quota.take(at(0), u64::MAX, 1), None);
        assert_eq!(quota.taken, most);
    }
}
