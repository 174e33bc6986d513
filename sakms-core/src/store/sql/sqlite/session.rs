//! A connection to SQLite in use.

use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, Column as _, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::store::sql::backend::Session;
use crate::store::sql::row::{Row, Value};

/// A connection, and whether it may have a transaction open.
///
/// The statements go out as they are, without the driver's bookkeeping of transactions: that loses count when
/// SQLite undoes a transaction by itself (a full disk), and refuses every further one.
#[derive(Debug)]
pub struct SqliteSession {
    connection: Option<PoolConnection<Sqlite>>,
    in_transaction: bool,
}

impl SqliteSession {
    pub(super) const fn on(connection: PoolConnection<Sqlite>) -> Self {
        Self {
            connection: Some(connection),
            in_transaction: false,
        }
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.connection
            .as_deref_mut()
            .ok_or(sqlx::Error::PoolClosed)
    }

    async fn plain(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(text).execute(self.connection()?).await?;
        Ok(())
    }
}

impl Session for SqliteSession {
    async fn fetch(
        &mut self,
        text: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, sqlx::Error> {
        let query = sqlx::query_with(text, arguments(values)?);
        let rows = query.fetch_all(self.connection()?).await?;
        rows.iter().map(plain_row).collect()
    }

    async fn execute(&mut self, text: &'static str, values: &[Value]) -> Result<u64, sqlx::Error> {
        let query = sqlx::query_with(text, arguments(values)?);
        Ok(query.execute(self.connection()?).await?.rows_affected())
    }

    /// The number is the one the statement gives by `RETURNING`.
    async fn change_one(
        &mut self,
        text: &'static str,
        values: &[Value],
    ) -> Result<Option<i64>, sqlx::Error> {
        let query = sqlx::query_scalar_with(text, arguments(values)?);
        query.fetch_optional(self.connection()?).await
    }

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.in_transaction = true;
        self.plain("BEGIN IMMEDIATE").await
    }

    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.plain("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        let undone = self.plain("ROLLBACK").await;
        self.in_transaction = false;
        match undone {
            // It was never opened, or SQLite has undone it by itself.
            Err(sqlx::Error::Database(_)) => Ok(()),
            other => other,
        }
    }
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if !self.in_transaction {
            return;
        }
        // Given up in the middle. The connection's thread finishes what it is at, then undoes the rest; until then
        // nobody else gets the connection. Closing it instead would be the end of a database in memory.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let undone = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
            if let Err(error) = undone {
                tracing::debug!(%error, "a transaction that was given up had ended already");
            }
        });
    }
}

fn arguments(values: &[Value]) -> Result<SqliteArguments, sqlx::Error> {
    let add_all = || {
        let mut arguments = SqliteArguments::default();
        for value in values {
            match value {
                Value::Null => arguments.add(None::<i64>)?,
                Value::Int(number) => arguments.add(*number)?,
                Value::Bytes(bytes) => arguments.add(bytes.as_slice())?,
                Value::Text(text) => arguments.add(text.as_str())?,
            }
        }
        Ok(arguments)
    };
    add_all().map_err(|error: BoxDynError| sqlx::Error::Encode(error))
}

fn plain_row(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    let plain = |column: &sqlx::sqlite::SqliteColumn| {
        let value = row.try_get_raw(column.ordinal())?;
        if value.is_null() {
            return Ok(Value::Null);
        }
        match value.type_info().name() {
            "INTEGER" => row.try_get(column.ordinal()).map(Value::Int),
            // Text is checked for being UTF-8 by whoever knows its column.
            "TEXT" => {
                let bytes: Vec<u8> = row.try_get(column.ordinal())?;
                Ok(String::from_utf8(bytes)
                    .map_or_else(|error| Value::Bytes(error.into_bytes()), Value::Text))
            }
            _ => row.try_get(column.ordinal()).map(Value::Bytes),
        }
    };
    row.columns().iter().map(plain).collect()
}
