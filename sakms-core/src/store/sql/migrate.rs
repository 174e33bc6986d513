//! The schema's steps.
//!
//! A step is one statement that may be run again, because MariaDB commits after each one: a process that is
//! killed leaves whole steps and at most one that is marked as begun.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType};

use super::fault::Failure;
use crate::store::StoreErrorKind;

/// Where the database keeps which steps were done. A table of our own, because hosts have theirs.
pub(super) const TABLE: &str = "sakms_migrations";

/// One step of the schema: one statement, which may be run again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationStep {
    /// Its number: 1 for the first one, and no gap.
    pub version: i64,
    /// Its file's name.
    pub name: &'static str,
    /// The statement.
    pub text: &'static str,
}

impl MigrationStep {
    /// The step as one of a host's own migrations, under the host's number for it.
    #[must_use]
    pub fn numbered(&self, version: i64) -> Migration {
        let text = self.text.into_sql_str();
        let name = self.name.into();
        Migration::new(version, name, MigrationType::Simple, text, false)
    }
}

/// The steps in a folder of `migrations/`: their numbers and file names.
macro_rules! steps {
    ($folder:literal: $($version:literal $name:literal)*) => {
        &[$($crate::store::sql::migrate::MigrationStep {
            version: $version,
            name: $name,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/migrations/", $folder, "/", $name, ".sql"
            )),
        }),*]
    };
}
pub(super) use steps;

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationReport {
    /// The steps that were done now, in order; none when the tables were up to date.
    pub applied: Vec<AppliedStep>,
    /// How many steps had been done before.
    pub present: usize,
}

/// A step that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedStep {
    /// Its number.
    pub version: i64,
    /// Its file's name.
    pub name: &'static str,
}

/// Does what is left to do, on a connection that keeps all others out. The table of steps is there, and holds none
/// that was begun and not finished.
pub(super) async fn run<C: Migrate>(
    connection: &mut C,
    steps: &'static [MigrationStep],
) -> Result<MigrationReport, MigrateError> {
    let done = connection.list_applied_migrations(TABLE).await?;
    let mut report = MigrationReport {
        applied: Vec::new(),
        present: 0,
    };
    // Steps that this version does not know are a newer one's, on whose tables it must run.
    for step in steps {
        let &MigrationStep { version, name, .. } = step;
        let step = step.numbered(version);
        match done.iter().find(|applied| applied.version == version) {
            Some(applied) if applied.checksum == step.checksum => report.present += 1,
            Some(_) => return Err(MigrateError::VersionMismatch(version)),
            None => {
                connection.apply(TABLE, &step).await?;
                report.applied.push(AppliedStep { version, name });
            }
        }
    }
    Ok(report)
}

/// The database's error within a migration's.
pub(super) fn cause(error: MigrateError) -> Failure {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => Failure::Refused(StoreErrorKind::Internal, Some(Box::new(other))),
    }
}
