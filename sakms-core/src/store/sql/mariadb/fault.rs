//! What MariaDB's and MySQL's error numbers mean.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

use crate::store::StoreErrorKind;
use crate::store::sql::fault::Fault;

pub(super) fn of(error: &(dyn DatabaseError + 'static)) -> Fault {
    let Some(number) = error
        .try_downcast_ref::<MySqlDatabaseError>()
        .map(MySqlDatabaseError::number)
    else {
        return Fault::of(StoreErrorKind::Internal);
    };
    match number {
        1062 => Fault::of(StoreErrorKind::Conflict),
        // Deadlock (also a lost certification in Galera), record changed since the snapshot.
        1213 | 1020 => Fault::undone(),
        // Lock wait; a Galera node outside the majority; error during commit; connection killed; query interrupted;
        // server shutting down; statement must be prepared again; MySQL: idle connection closed.
        1205 | 1047 | 1180 | 1927 | 1317 | 1053 | 1615 | 4031 => Fault::passing(),
        // A statement took too long (MariaDB, MySQL).
        1969 | 3024 => Fault::of(StoreErrorKind::Unavailable),
        // Too many connections, of all, of the user, per hour; host or user not let in; no such database.
        1040 | 1203 | 1226 | 1129 | 1130 | 1044 | 1045 | 1049 | 1698 => {
            Fault::of(StoreErrorKind::Unavailable)
        }
        // Disk full, table full, file cannot be written; read-only server or transaction.
        1021 | 1114 | 1026 | 3 | 1290 | 1792 | 1836 => Fault::of(StoreErrorKind::ReadOnly),
        // The storage engine's own number stands in the text: 28 is "no space left on device".
        1030 if error.message().contains("error 28 ") => Fault::of(StoreErrorKind::ReadOnly),
        // No such table, no such column.
        1146 | 1054 => Fault::no_tables(),
        // Index or table is broken.
        1034 | 1035 | 1194 | 1195 | 126 | 127 => Fault::of(StoreErrorKind::Corrupt),
        _ => Fault::of(StoreErrorKind::Internal),
    }
}
