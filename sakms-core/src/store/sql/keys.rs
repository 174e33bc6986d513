//! Keys, owners and the journal.

use async_trait::async_trait;

use super::SqlStore;
use super::backend::{Backend, Lane, Session};
use super::fault::Failure;
use super::records;
use super::retry::{self, Change};
use super::row::{Columns, CorruptValue, Row, Value};
use super::texts;
use super::uses::AddUses;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalRow, Seq};
use crate::key::{
    KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision, SecretRecord, SecretUse, StoredSecret,
};
use crate::secret::StoredHash;
use crate::store::{KeyStore, StoreError, StoreErrorKind};

/// The most journal rows that go over the connections of checks: those who follow the journal read few at a time,
/// and checks depend on them; whoever exports it can wait.
const FEW_ROWS: u32 = 1000;

impl<B: Backend> SqlStore<B> {
    /// Reads rows with one statement and makes something of each.
    pub(super) async fn rows<T>(
        &self,
        operation: &'static str,
        lane: Lane,
        text: &'static str,
        values: &[Value],
        read: impl Fn(Row) -> Result<T, CorruptValue> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let rows = retry::read(&self.backend, operation, lane, text, values).await?;
        rows.into_iter()
            .map(|row| {
                read(row).map_err(|error| Failure::from(error).into_store_error::<B>(operation))
            })
            .collect()
    }

    /// The same of at most one row.
    pub(super) async fn row<T>(
        &self,
        operation: &'static str,
        lane: Lane,
        text: &'static str,
        values: &[Value],
        read: impl Fn(Row) -> Result<T, CorruptValue> + Send,
    ) -> Result<Option<T>, StoreError> {
        let mut rows = self.rows(operation, lane, text, values, read).await?;
        Ok(rows.pop())
    }

    /// Makes a change and writes `entry` with it.
    pub(super) async fn change<C: Change<B::Session>>(
        &self,
        operation: &'static str,
        entry: &JournalEntry,
        change: C,
    ) -> Result<C::Output, StoreError> {
        retry::change(&self.backend, operation, Some(entry), &change).await
    }
}

#[async_trait]
impl<B: Backend> KeyStore for SqlStore<B> {
    async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        self.change("insert", entry, AddKey { key, secret }).await
    }

    async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError> {
        let id = [secret.as_bytes().into()];
        let read = records::read_stored_secret;
        self.row("find", Lane::Verify, texts::FIND, &id, read).await
    }

    async fn get(&self, key: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let id = [key.as_bytes().into()];
        self.row("get", Lane::Manage, texts::KEY, &id, records::read_key)
            .await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, StoreError> {
        // "Before this id" as "up to the one before it", so that the first page is the same statement.
        let before = query.before.map_or(Some(u128::MAX), |id| {
            u128::from_be_bytes(*id.as_bytes()).checked_sub(1)
        });
        let Some(last) = before else {
            return Ok(Page::new(Vec::new(), false));
        };
        let limit = query.limit.min(KeyQuery::MAX_LIMIT);
        let values = [
            records::owner(&query.owner)
                .map_err(|error| Failure::from(error).into_store_error::<B>("list"))?,
            (&last.to_be_bytes()).into(),
            (limit + 1).into(),
        ];
        let text = B::KEYS_OF_OWNER;
        let keys = self
            .rows("list", Lane::Manage, text, &values, records::read_key)
            .await?;
        Ok(Page::from_one_more(keys, limit))
    }

    async fn update(
        &self,
        key: KeyId,
        expected: Revision,
        patch: &KeyPatch,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let change = ChangeKey {
            key,
            expected,
            patch,
        };
        self.change("update", entry, change).await
    }

    async fn add_secret(
        &self,
        key: KeyId,
        expected: Revision,
        secret: &SecretRecord,
        retire_others_at: Timestamp,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let change = AddSecret {
            key,
            expected,
            secret,
            retire_others_at,
        };
        self.change("add_secret", entry, change).await
    }

    async fn replace_hash(
        &self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let change = ReplaceHash {
            secret,
            expected,
            new,
        };
        self.change("replace_hash", entry, change).await
    }

    async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let change = AddUses::new(uses, B::ADD_USES);
        retry::change(&self.backend, "record_uses", None, &change).await
    }

    async fn owner_disabled_at(&self, owner: &Owner) -> Result<Option<Timestamp>, StoreError> {
        let name = [records::owner(owner)
            .map_err(|error| Failure::from(error).into_store_error::<B>("owner_disabled_at"))?];
        let read = |row| Columns::of(row).time("sakms_owners.disabled_at");
        self.row("owner_disabled_at", Lane::Verify, texts::OWNER, &name, read)
            .await
    }

    async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let change = SetOwner { owner, disabled_at };
        self.change("set_owner_disabled", entry, change).await
    }

    async fn journal_after(&self, seq: Seq, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        let lane = if limit <= FEW_ROWS {
            Lane::Verify
        } else {
            Lane::Manage
        };
        let values = [seq.get().into(), limit.into()];
        let (text, read) = (texts::JOURNAL_AFTER, records::read_journal_row);
        self.rows("journal_after", lane, text, &values, read).await
    }

    async fn journal_head(&self) -> Result<JournalHead, StoreError> {
        self.row(
            "journal_head",
            Lane::Verify,
            texts::HEAD,
            &[],
            records::read_head,
        )
        .await?
        .ok_or_else(|| Failure::no_tables().into_store_error::<B>("journal_head"))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let newest = B::STEPS.last().map_or(0, |step| step.version);
        let read = |row| {
            let mut columns = Columns::of(row);
            let heads: usize = columns.number("sakms_journal_head")?;
            let steps: usize = columns.number("sakms_migrations")?;
            Ok(heads == 1 && steps == B::STEPS.len())
        };
        let values = [Value::Int(newest)];
        let steps = self.row("ping", Lane::Verify, texts::PING, &values, read);
        let found = match steps.await {
            // No table of steps, maybe: a host that runs them in an order of its own has none.
            Err(error) if error.kind() == StoreErrorKind::Internal => {
                let read = |row| {
                    let heads = Columns::of(row).number::<usize>("sakms_journal_head")?;
                    Ok(heads == 1)
                };
                self.row("ping", Lane::Verify, texts::TABLES, &[], read)
                    .await?
            }
            other => other?,
        };
        match found {
            Some(true) => Ok(()),
            _ => Err(Failure::no_tables().into_store_error::<B>("ping")),
        }
    }
}

struct AddKey<'a> {
    key: &'a KeyRecord,
    secret: &'a SecretRecord,
}

impl<S: Session> Change<S> for AddKey<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let key = records::write_key(self.key)?;
        let secret = records::write_secret(self.secret)?;
        session.execute(texts::ADD_KEY, &key).await?;
        session.execute(texts::ADD_SECRET, &secret).await?;
        Ok(())
    }
}

struct ChangeKey<'a> {
    key: KeyId,
    expected: Revision,
    patch: &'a KeyPatch,
}

impl<S: Session> Change<S> for ChangeKey<'_> {
    type Output = KeyRecord;

    async fn apply(&self, session: &mut S) -> Result<KeyRecord, Failure> {
        let mut key = key_at(session, self.key, self.expected).await?;
        self.patch.apply(&mut key);
        replace_key(session, &key, self.expected).await?;
        Ok(key)
    }
}

struct AddSecret<'a> {
    key: KeyId,
    expected: Revision,
    secret: &'a SecretRecord,
    retire_others_at: Timestamp,
}

impl<S: Session> Change<S> for AddSecret<'_> {
    type Output = KeyRecord;

    async fn apply(&self, session: &mut S) -> Result<KeyRecord, Failure> {
        let mut key = key_at(session, self.key, self.expected).await?;
        key.shown_prefix.clone_from(&self.secret.shown_prefix);
        key.revision = key.revision.next();
        replace_key(session, &key, self.expected).await?;

        let retire_at = Value::from(self.retire_others_at);
        let others = [retire_at.clone(), self.key.as_bytes().into(), retire_at];
        session.execute(texts::RETIRE_SECRETS, &others).await?;
        let secret = records::write_secret(self.secret)?;
        session.execute(texts::ADD_SECRET, &secret).await?;
        Ok(key)
    }
}

struct ReplaceHash<'a> {
    secret: SecretId,
    expected: &'a StoredHash,
    new: &'a StoredHash,
}

impl<S: Session> Change<S> for ReplaceHash<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let id = self.secret.as_bytes();
        let row = session.fetch(texts::HASH, &[id.into()]).await?.pop();
        let row = row.ok_or(Failure::is(StoreErrorKind::NotFound))?;
        // Compared here, to the byte, and in the statement, where nobody comes in between.
        if records::read_hash(row, self.secret)? != *self.expected {
            return Err(Failure::is(StoreErrorKind::Stale));
        }
        let (new, old) = (records::hash(self.new)?, records::hash(self.expected)?);
        match session
            .execute(texts::CHANGE_HASH, &[new, id.into(), old])
            .await?
        {
            0 => Err(Failure::is(StoreErrorKind::Stale)),
            _ => Ok(()),
        }
    }
}

/// Reads a key that must have this revision.
async fn key_at<S: Session>(
    session: &mut S,
    id: KeyId,
    expected: Revision,
) -> Result<KeyRecord, Failure> {
    let row = session
        .fetch(texts::KEY, &[id.as_bytes().into()])
        .await?
        .pop();
    let key = records::read_key(row.ok_or(Failure::is(StoreErrorKind::NotFound))?)?;
    if key.revision == expected {
        Ok(key)
    } else {
        Err(Failure::is(StoreErrorKind::Stale))
    }
}

/// Writes a key over the one that had this revision; somebody may have been faster since it was read.
async fn replace_key<S: Session>(
    session: &mut S,
    key: &KeyRecord,
    expected: Revision,
) -> Result<(), Failure> {
    let values = records::write_key_change(key, expected)?;
    match session.execute(texts::CHANGE_KEY, &values).await? {
        0 => Err(Failure::is(StoreErrorKind::Stale)),
        _ => Ok(()),
    }
}

struct SetOwner<'a> {
    owner: &'a Owner,
    disabled_at: Option<Timestamp>,
}

impl<S: Session> Change<S> for SetOwner<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let owner = records::owner(self.owner)?;
        match self.disabled_at {
            Some(at) => {
                session
                    .execute(texts::DISABLE_OWNER, &[owner, at.into()])
                    .await?
            }
            None => session.execute(texts::ENABLE_OWNER, &[owner]).await?,
        };
        Ok(())
    }
}
