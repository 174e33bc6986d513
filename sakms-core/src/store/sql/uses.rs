//! Writing down how often secrets were used.

use std::collections::BTreeMap;

use super::backend::Session;
use super::fault::Failure;
use super::retry::Change;
use super::row::{Columns, CorruptValue, Row, Value};
use super::texts;
use crate::key::SecretUse;

/// Uses to add, in the order of their secrets: two who write at once then wait for each other, never crosswise.
pub(super) struct AddUses {
    uses: Vec<SecretUse>,
    text: &'static str,
}

impl AddUses {
    pub(super) fn new(uses: &[SecretUse], text: &'static str) -> Self {
        let mut uses = uses.to_vec();
        uses.sort_unstable_by_key(|used| used.secret);
        Self { uses, text }
    }
}

impl<S: Session> Change<S> for AddUses {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        for uses in self.uses.chunks(texts::USES) {
            let ids = uses.iter().map(|used| [used.secret.as_bytes().into()]);
            let ids = filled(ids.collect(), Clone::clone);
            let found = session.fetch(texts::KEYS_OF_SECRETS, &ids).await?;
            let keys: BTreeMap<[u8; 16], [u8; 16]> =
                found.into_iter().map(read_pair).collect::<Result<_, _>>()?;
            let rows: Vec<[Value; 4]> = uses
                .iter()
                .filter_map(|used| {
                    let key = keys.get(used.secret.as_bytes())?;
                    let (count, last_at) = (used.count.into(), used.last_at.into());
                    Some([key.into(), used.secret.as_bytes().into(), count, last_at])
                })
                .collect();
            if !rows.is_empty() {
                let no_more = |[key, secret, _, last_at]: &[Value; 4]| {
                    [key.clone(), secret.clone(), Value::Int(0), last_at.clone()]
                };
                session.execute(self.text, &filled(rows, no_more)).await?;
            }
        }
        Ok(())
    }
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
