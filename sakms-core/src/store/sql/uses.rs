//! Writing down how often secrets were used.

use std::collections::BTreeMap;

use super::backend::{Backend, Session};
use super::fault::Failure;
use super::records;
use super::retry::Change;
use super::row::{Columns, CorruptValue, Row, Value};
use super::texts;
use crate::key::SecretUse;

/// Uses to add, in the order of their secrets: two who write at once then wait for each other, never crosswise.
pub(super) struct AddUses {
    uses: Vec<SecretUse>,
    to_secrets: &'static str,
    to_sources: &'static str,
    to_days: &'static str,
}

impl AddUses {
    pub(super) fn new<B: Backend>(uses: &[SecretUse]) -> Self {
        let mut uses = uses.to_vec();
        uses.sort_by_key(|used| used.secret);
        Self {
            uses,
            to_secrets: B::ADD_USES,
            to_sources: B::ADD_SOURCES,
            to_days: B::ADD_DAYS,
        }
    }

    /// Which keys the secrets belong to. A secret that there is not is not in it.
    async fn keys<S: Session>(
        &self,
        session: &mut S,
    ) -> Result<BTreeMap<[u8; 16], [u8; 16]>, Failure> {
        let mut keys = BTreeMap::new();
        for uses in self.uses.chunks(texts::USES) {
            let ids = uses.iter().map(|used| [used.secret.as_bytes().into()]);
            let ids = filled(ids.collect(), Clone::clone);
            let found = session.fetch(texts::KEYS_OF_SECRETS, &ids).await?;
            for row in found {
                let (secret, key) = read_pair(row)?;
                keys.insert(secret, key);
            }
        }
        Ok(keys)
    }
}

impl<S: Session> Change<S> for AddUses {
    type Output = ();

    /// One table after the other, each in the order of its key, for the same reason as the order of the secrets.
    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let keys = self.keys(session).await?;
        let known = || {
            let uses = self.uses.iter();
            uses.filter_map(|used| Some((keys.get(used.secret.as_bytes())?, used)))
        };
        let row = |key: &[u8; 16], used: &SecretUse, third, fourth| -> [Value; 4] {
            [key.into(), used.secret.as_bytes().into(), third, fourth]
        };
        // What was only refused is no use.
        let let_in = || known().filter(|(_, used)| used.count > 0);

        let uses =
            let_in().map(|(key, used)| row(key, used, used.count.into(), used.last_at.into()));
        let no_more = |[key, secret, _, last_at]: &[Value; 4]| {
            [key.clone(), secret.clone(), Value::Int(0), last_at.clone()]
        };
        write(session, self.to_secrets, uses.collect(), no_more).await?;

        let sources = let_in().map(|(key, used)| {
            let from = records::write_source(used);
            row(key, used, used.last_at.into(), from)
        });
        write(session, self.to_sources, sources.collect(), Clone::clone).await?;

        let mut days = BTreeMap::<_, (u64, u64)>::new();
        for (key, used) in known() {
            let (allowed, refused) = days.entry((key, used.day())).or_default();
            *allowed = allowed.saturating_add(used.count);
            *refused = refused.saturating_add(used.refused);
        }
        let days = days.into_iter().map(|((key, day), (allowed, refused))| {
            let day = day.number().into();
            [key.into(), day, allowed.into(), refused.into()]
        });
        let no_more = |[key, day, _, _]: &[Value; 4]| {
            [key.clone(), day.clone(), Value::Int(0), Value::Int(0)]
        };
        write(session, self.to_days, days.collect(), no_more).await
    }
}

/// Writes rows with a statement that has room for [`texts::USES`] of them.
async fn write<S: Session>(
    session: &mut S,
    text: &'static str,
    rows: Vec<[Value; 4]>,
    repeated: impl Fn(&[Value; 4]) -> [Value; 4] + Send,
) -> Result<(), Failure> {
    for rows in rows.chunks(texts::USES) {
        let values = filled(rows.to_vec(), &repeated);
        session.execute(text, &values).await?;
    }
    Ok(())
}

/// The values of `rows`, with as many more rows as the statement has room for. Those repeat the last one, as
/// `repeated` says.
fn filled<const N: usize>(
    mut rows: Vec<[Value; N]>,
    repeated: impl Fn(&[Value; N]) -> [Value; N],
) -> Vec<Value> {
    if let Some(filler) = rows.last().map(repeated) {
        rows.resize(texts::USES, filler);
    }
    rows.into_iter().flatten().collect()
}

fn read_pair(row: Row) -> Result<([u8; 16], [u8; 16]), CorruptValue> {
    let mut columns = Columns::of(row);
    let secret = columns.bytes("sakms_secrets.id")?;
    Ok((secret, columns.bytes("sakms_secrets.key_id")?))
}
