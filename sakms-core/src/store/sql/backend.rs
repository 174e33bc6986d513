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

    /// A page of an owner's keys.
    const KEYS_OF_OWNER: &'static str;
    /// Reads the head of the journal and keeps others from moving it.
    const LOCK_HEAD: &'static str;
    /// Adds uses to so many secrets ([`USES`](super::texts::USES)): key, secret, count and time of each.
    const ADD_USES: &'static str;
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
    /// Reads for people.
    Manage,
    /// Changes.
    Write,
}

/// How long anything may take before it counts as failed.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A read of [`Lane::Verify`], with everything: waiting for a connection, second attempts.
    pub verify: Duration,
    /// Anything else, with everything.
    pub manage: Duration,
    /// After that, finding out what became of a commit.
    pub settle: Duration,
}

impl Limits {
    pub(super) const fn of(&self, lane: Lane) -> Duration {
        match lane {
            Lane::Verify => self.verify,
            Lane::Manage | Lane::Write => self.manage,
        }
    }
}
