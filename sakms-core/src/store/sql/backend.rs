//! What a SQL store asks of a database.

use std::fmt;
use std::time::Duration;

use super::fault::Fault;
use super::migrate::{MigrationReport, MigrationStep};
use super::row::{Row, Value};
use crate::store::StoreError;

/// A database. Not for others to implement: whoever has another one writes a
/// [`KeyStore`](crate::store::KeyStore).
pub trait Backend: Clone + fmt::Debug + Send + Sync + 'static {
    /// A connection in use.
    type Session: Session;

    /// Names every table and every column.
    const TABLES: &'static str;
    /// A page of all keys.
    const KEYS: &'static str;
    /// A page of an owner's keys.
    const KEYS_OF_OWNER: &'static str;
    /// Keeps others from adding keys of an owner until the transaction ends, where whoever writes does not keep everybody
    /// from it anyway.
    const LOCK_OWNER: Option<&'static str>;
    /// How many keys of an owner count against how many they may have.
    const COUNT_KEYS: &'static str;
    /// Reads the head of the journal and keeps others from moving it.
    const LOCK_HEAD: &'static str;
    /// Writes down whose the newest rows of the journal are. The migration's last step is the same.
    const INDEX_JOURNAL: &'static str;
    /// A page of the journal.
    const JOURNAL: &'static str;
    /// A page of what in the journal is an owner's.
    const JOURNAL_OF_OWNER: &'static str;
    /// Adds uses to so many secrets ([`USES`](super::texts::USES)): key, secret, count and time of each.
    const ADD_USES: &'static str;
    /// Writes down where the last uses of so many secrets came from: key, secret, time and address of each.
    const ADD_SOURCES: &'static str;
    /// Adds uses to so many days of keys: key, day, how often it was let in and refused of each.
    const ADD_DAYS: &'static str;
    /// Takes out of a quota, for [`Session::change_one`], which gives what is taken then: the period, how much, the period,
    /// the key, the period twice, and how much may be taken already.
    const TAKE_QUOTA: &'static str;
    /// Begins to keep a quota of which nothing is taken, unless it is kept already: key and period.
    const KEEP_QUOTA: &'static str;
    /// Forgets the oldest requests before a moment, not all of them when there are many.
    const FORGET_REQUESTS: &'static str;
    /// What is kept for a while and is of a kind, the newest first.
    const STATES: &'static str;
    /// The same of an owner.
    const STATES_OF_OWNER: &'static str;
    /// Removes those of an owner and a kind, but for one, if there is one to leave out.
    const REMOVE_STATES: &'static str;
    /// Forgets what ended first of what ended before a moment, not all of it when there is much.
    const FORGET_STATES: &'static str;
    /// The steps that lead to the schema, in order.
    const STEPS: &'static [MigrationStep];

    /// How long anything may take.
    fn limits(&self) -> Limits;

    /// A connection for work of a kind.
    fn session(
        &self,
        lane: Lane,
    ) -> impl Future<Output = Result<Self::Session, sqlx::Error>> + Send;

    /// Brings the schema up to date.
    fn migrate(&self) -> impl Future<Output = Result<MigrationReport, StoreError>> + Send;

    /// What an error that the database itself sent means.
    fn fault(error: &(dyn sqlx::error::DatabaseError + 'static)) -> Fault;
}

/// A connection in use. Dropped in the middle of anything, it leaves no transaction open and no answer unread for
/// whoever uses the connection next.
pub trait Session: Send {
    /// Runs a statement that gives rows.
    fn fetch(
        &mut self,
        text: &'static str,
        values: &[Value],
    ) -> impl Future<Output = Result<Vec<Row>, sqlx::Error>> + Send;

    /// Runs a statement that changes rows, and gives how many there were to change.
    fn execute(
        &mut self,
        text: &'static str,
        values: &[Value],
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Runs a statement that changes at most one row and says a number of it, in the database's own way, outside of any
    /// transaction; `None` when there was no row to change.
    fn change_one(
        &mut self,
        text: &'static str,
        values: &[Value],
    ) -> impl Future<Output = Result<Option<i64>, sqlx::Error>> + Send;

    /// Opens a transaction that is going to write.
    fn begin(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Commits it.
    fn commit(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Undoes it.
    fn rollback(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// What a connection is for. Checks have connections of their own where the database allows it, so that nothing
/// slow can keep them waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What stands between a request and its answer.
    Verify,
    /// Changes that stand between a request and its answer. Requests with one key wait for each other there, and must not
    /// keep those with other keys waiting.
    Quota,
    /// Reads for people.
    Manage,
    /// Changes.
    Write,
}

/// How long anything may take before it counts as failed.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Work of [`Lane::Verify`] and [`Lane::Quota`], with everything: waiting for a connection, second attempts.
    pub verify: Duration,
    /// Anything else, with everything.
    pub manage: Duration,
    /// After that, finding out what became of a commit.
    pub settle: Duration,
}

impl Limits {
    pub(super) const fn of(&self, lane: Lane) -> Duration {
        match lane {
            Lane::Verify | Lane::Quota => self.verify,
            Lane::Manage | Lane::Write => self.manage,
        }
    }
}
