//! A connection to MariaDB in use.

use sqlx::error::BoxDynError;
use sqlx::mysql::{MySql, MySqlArguments, MySqlColumn, MySqlConnection, MySqlRow};
use sqlx::pool::PoolConnection;
use sqlx::{Arguments as _, Column as _, Row as _, ValueRef as _};

use crate::store::sql::backend::Session;
use crate::store::sql::row::{Row, Value};

/// A connection, and whether the next one to use it would find it as it should be.
///
/// A driver that puts a connection back in the middle of an answer makes the next one wait for the rest of it, and
/// one with an open transaction keeps its locks. Such a connection is closed instead, which undoes what it was at.
#[derive(Debug)]
pub struct MariaDbSession {
    connection: Option<PoolConnection<MySql>>,
    clean: bool,
    in_transaction: bool,
    foreign: bool,
}

impl MariaDbSession {
    pub(super) const fn on(connection: PoolConnection<MySql>, foreign: bool) -> Self {
        Self {
            connection: Some(connection),
            clean: true,
            in_transaction: false,
            foreign,
        }
    }

    fn connection(&mut self) -> Result<&mut MySqlConnection, sqlx::Error> {
        self.clean = false;
        self.connection
            .as_deref_mut()
            .ok_or(sqlx::Error::PoolClosed)
    }

    /// Takes note of an answer: when there was one, even an error, the connection has nothing left to say.
    fn answered<T>(&mut self, answer: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let whole = matches!(answer, Ok(_) | Err(sqlx::Error::Database(_)));
        self.clean = whole && !self.in_transaction;
        answer
    }

    /// For the one transaction that follows. Under REPEATABLE READ writers would run into each other's snapshots (error
    /// 1020).
    async fn read_committed(&mut self) -> Result<(), sqlx::Error> {
        if self.foreign {
            self.plain("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                .await?;
        }
        Ok(())
    }

    async fn plain(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        let answer = sqlx::raw_sql(text).execute(self.connection()?).await;
        self.answered(answer).map(drop)
    }
}

impl Session for MariaDbSession {
    async fn fetch(
        &mut self,
        text: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, sqlx::Error> {
        let query = sqlx::query_with(text, arguments(values)?);
        let answer = query.fetch_all(self.connection()?).await;
        let rows = self.answered(answer)?;
        rows.iter().map(plain_row).collect()
    }

    async fn execute(&mut self, text: &'static str, values: &[Value]) -> Result<u64, sqlx::Error> {
        let query = sqlx::query_with(text, arguments(values)?);
        let answer = query.execute(self.connection()?).await;
        Ok(self.answered(answer)?.rows_affected())
    }

    /// The number is the one the statement says by `LAST_INSERT_ID(…)`.
    async fn change_one(
        &mut self,
        text: &'static str,
        values: &[Value],
    ) -> Result<Option<i64>, sqlx::Error> {
        self.read_committed().await?;
        let query = sqlx::query_with(text, arguments(values)?);
        let answer = query.execute(self.connection()?).await;
        let changed = self.answered(answer)?;
        let number = i64::try_from(changed.last_insert_id()).unwrap_or(i64::MAX);
        Ok((changed.rows_affected() > 0).then_some(number))
    }

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.read_committed().await?;
        self.in_transaction = true;
        self.plain("START TRANSACTION").await
    }

    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.plain("COMMIT").await?;
        (self.in_transaction, self.clean) = (false, true);
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.plain("ROLLBACK").await?;
        (self.in_transaction, self.clean) = (false, true);
        Ok(())
    }
}

impl Drop for MariaDbSession {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take_if(|_| !self.clean) {
            // Not `close_on_drop`: that says goodbye first, and keeps the connection's place meanwhile.
            drop(connection.detach());
        }
    }
}

fn arguments(values: &[Value]) -> Result<MySqlArguments, sqlx::Error> {
    let add_all = || {
        let mut arguments = MySqlArguments::default();
        for value in values {
            match value {
                Value::Null => arguments.add(None::<i64>)?,
                Value::Int(number) => arguments.add(*number)?,
                Value::Bytes(bytes) => arguments.add(bytes.as_slice())?,
                // As bytes: text would be converted and compared by the server's idea of it.
                Value::Text(text) => arguments.add(text.as_bytes())?,
            }
        }
        Ok(arguments)
    };
    add_all().map_err(|error: BoxDynError| sqlx::Error::Encode(error))
}

fn plain_row(row: &MySqlRow) -> Result<Row, sqlx::Error> {
    let plain = |column: &MySqlColumn| {
        let value = row.try_get_raw(column.ordinal())?;
        if value.is_null() {
            Ok(Value::Null)
        } else if <i64 as sqlx::Type<MySql>>::compatible(&value.type_info()) {
            row.try_get(column.ordinal()).map(Value::Int)
        } else {
            row.try_get(column.ordinal()).map(Value::Bytes)
        }
    };
    row.columns().iter().map(plain).collect()
}
