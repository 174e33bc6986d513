//! Pages of keys.

use super::SqlStore;
use super::backend::{Backend, Lane};
use super::records;
use super::row::{TooLong, Value};
use super::work::{filter, last_before};
use crate::id::KeyId;
use crate::key::{KeyFilter, KeyQuery, KeyRecord, KeyState, Page};
use crate::store::StoreError;

impl<B: Backend> SqlStore<B> {
    pub(super) async fn page_of_keys(
        &self,
        query: &KeyQuery,
    ) -> Result<Page<KeyRecord>, StoreError> {
        let Some(last) = last_before(query.before.as_ref().map(KeyId::as_bytes)) else {
            return Ok(Page::new(Vec::new(), false));
        };
        let limit = query.limit.min(KeyQuery::MAX_LIMIT);
        let (text, mut values) = match &query.owner {
            Some(owner) => {
                let owner = Self::values("list", records::owner(owner))?;
                (B::KEYS_OF_OWNER, vec![owner])
            }
            None => (B::KEYS, Vec::new()),
        };
        values.push((&last).into());
        values.extend(Self::values("list", filters(&query.filter))?);
        values.push((limit + 1).into());
        let keys = self
            .rows("list", Lane::Manage, text, &values, records::read_key)
            .await?;
        Ok(Page::from_one_more(keys, limit))
    }
}

/// The values of the filters, in the order in which the statement has them.
fn filters(wanted: &KeyFilter) -> Result<impl Iterator<Item = Value> + use<>, TooLong> {
    let (number, now) = match wanted.state {
        Some((state, now)) => (number_of(state), now.into()),
        None => (0, Value::Null),
    };
    let state = [Value::Int(number), now.clone(), now, Value::Int(number)];
    let environment = wanted.environment.as_ref().map(records::environment);
    Ok(state
        .into_iter()
        .chain(filter(environment.transpose()?))
        .chain(filter(wanted.tag.as_ref().map(records::write_tag)))
        .chain(filter(wanted.unused_since.map(Value::from)))
        .chain(filter(wanted.expires_before.map(Value::from))))
}

/// The number of a state in the statement, whose order is that of [`KeyState::of`].
const fn number_of(state: KeyState) -> i64 {
    match state {
        KeyState::Revoked => 1,
        KeyState::Disabled => 2,
        KeyState::Expired => 3,
        KeyState::Pending => 4,
        KeyState::Active => 5,
    }
}
