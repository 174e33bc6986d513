//! Values that go into a statement and come out of a row.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;

/// A value of a parameter or a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number, or a time in microseconds.
    Int(i64),
    /// An id or a hash.
    Bytes(Vec<u8>),
    /// Text. A database that has no exact text type keeps its bytes.
    Text(String),
}

/// The values of a row in the order of its columns.
pub(super) type Row = Vec<Value>;

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Int(moment.as_micros())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    /// Numbers past `i64::MAX` become that: no column holds more.
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    /// Text of at most `longest` bytes.
    ///
    /// Checked here and not only by the schema, because a server outside of strict mode cuts what is too long.
    pub(super) fn text(text: &str, longest: usize, column: &'static str) -> Result<Self, TooLong> {
        if text.len() > longest {
            Err(TooLong { column, longest })
        } else {
            Ok(Self::Text(text.to_owned()))
        }
    }

    /// At most so many bytes, checked here for the same reason.
    pub(super) fn blob(
        bytes: &[u8],
        longest: usize,
        column: &'static str,
    ) -> Result<Self, TooLong> {
        if bytes.len() > longest {
            Err(TooLong { column, longest })
        } else {
            Ok(Self::Bytes(bytes.to_vec()))
        }
    }
}

/// A value does not fit its column.
#[derive(Debug)]
pub(super) struct TooLong {
    column: &'static str,
    longest: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} holds at most {} bytes", self.column, self.longest)
    }
}

impl Error for TooLong {}

/// A stored value is not one that this version writes.
#[derive(Debug)]
pub(super) struct CorruptValue {
    column: &'static str,
    why: String,
    row: Option<String>,
}

impl CorruptValue {
    pub(super) fn new(column: &'static str, why: impl Into<String>) -> Self {
        Self {
            column,
            why: why.into(),
            row: None,
        }
    }

    /// The same, and in which row.
    pub(super) fn of(mut self, row: impl fmt::Display) -> Self {
        self.row.get_or_insert_with(|| row.to_string());
        self
    }
}

impl fmt::Display for CorruptValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.column)?;
        if let Some(row) = &self.row {
            write!(f, " of {row}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl Error for CorruptValue {}

/// Reads a row column by column. Each step names its column for the error.
#[derive(Debug)]
pub(super) struct Columns(std::vec::IntoIter<Value>);

impl Columns {
    pub(super) fn of(row: Row) -> Self {
        Self(row.into_iter())
    }

    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    pub(super) fn maybe_int(&mut self, column: &'static str) -> Result<Option<i64>, CorruptValue> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(number)),
            Value::Bytes(_) | Value::Text(_) => Err(CorruptValue::new(column, "not a number")),
        }
    }

    pub(super) fn number<T: TryFrom<i64>>(
        &mut self,
        column: &'static str,
    ) -> Result<T, CorruptValue> {
        self.maybe_int(column)?
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| CorruptValue::new(column, "missing or out of range"))
    }

    /// A number of a row that may be absent.
    pub(super) fn number_or<T: TryFrom<i64>>(
        &mut self,
        column: &'static str,
        absent: T,
    ) -> Result<T, CorruptValue> {
        match self.maybe_int(column)? {
            None => Ok(absent),
            Some(number) => {
                T::try_from(number).map_err(|_| CorruptValue::new(column, "out of range"))
            }
        }
    }

    pub(super) fn maybe_time(
        &mut self,
        column: &'static str,
    ) -> Result<Option<Timestamp>, CorruptValue> {
        let Some(micros) = self.maybe_int(column)? else {
            return Ok(None);
        };
        Timestamp::from_micros(micros)
            .map(Some)
            .ok_or_else(|| CorruptValue::new(column, "not a time between 1970 and 9999"))
    }

    pub(super) fn time(&mut self, column: &'static str) -> Result<Timestamp, CorruptValue> {
        self.maybe_time(column)?
            .ok_or_else(|| CorruptValue::new(column, "missing"))
    }

    pub(super) fn bytes<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<[u8; N], CorruptValue> {
        let Value::Bytes(bytes) = self.next() else {
            return Err(CorruptValue::new(column, "missing or not bytes"));
        };
        <[u8; N]>::try_from(bytes).map_err(|bytes| {
            CorruptValue::new(column, format!("{} bytes instead of {N}", bytes.len()))
        })
    }

    /// At most so many bytes.
    pub(super) fn blob(
        &mut self,
        column: &'static str,
        longest: usize,
    ) -> Result<Vec<u8>, CorruptValue> {
        match self.next() {
            Value::Bytes(bytes) if bytes.len() <= longest => Ok(bytes),
            Value::Bytes(_) => Err(CorruptValue::new(column, "too long")),
            Value::Null | Value::Int(_) | Value::Text(_) => {
                Err(CorruptValue::new(column, "missing or not bytes"))
            }
        }
    }

    pub(super) fn text(
        &mut self,
        column: &'static str,
        longest: usize,
    ) -> Result<String, CorruptValue> {
        let text = match self.next() {
            Value::Text(text) => Ok(text),
            Value::Bytes(bytes) => {
                String::from_utf8(bytes).map_err(|_| CorruptValue::new(column, "not UTF-8"))
            }
            Value::Null | Value::Int(_) => Err(CorruptValue::new(column, "missing or not text")),
        }?;
        if text.len() > longest {
            return Err(CorruptValue::new(column, "too long"));
        }
        Ok(text)
    }

    /// Text that may be absent, read.
    pub(super) fn maybe_with<T, E: fmt::Display>(
        &mut self,
        column: &'static str,
        longest: usize,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, CorruptValue> {
        if matches!(self.0.as_slice().first(), None | Some(Value::Null)) {
            self.next();
            return Ok(None);
        }
        self.with(column, longest, read).map(Some)
    }

    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(
        &mut self,
        column: &'static str,
        longest: usize,
    ) -> Result<T, CorruptValue> {
        self.text(column, longest)?
            .parse()
            .map_err(|error: T::Err| CorruptValue::new(column, error.to_string()))
    }

    pub(super) fn with<T, E: fmt::Display>(
        &mut self,
        column: &'static str,
        longest: usize,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, CorruptValue> {
        let text = self.text(column, longest)?;
        read(&text).map_err(|error| CorruptValue::new(column, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_written_is_said_with_its_column_and_row() {
        let mut columns = Columns::of(vec![Value::Bytes(vec![0xFF]), Value::Int(-1), Value::Null]);
        let error = columns.text("name", 10).unwrap_err().of("key 7");
        assert_eq!(error.to_string(), "name of key 7: not UTF-8");
        assert!(columns.time("created_at").is_err());
        assert!(columns.bytes::<16>("id").is_err());
        assert!(columns.number::<u32>("past the end").is_err());
    }

    #[test]
    fn text_that_does_not_fit_is_refused_before_it_is_sent() {
        assert!(Value::text("abc", 3, "name").is_ok());
        let error = Value::text("abcd", 3, "name").unwrap_err();
        assert_eq!(error.to_string(), "name holds at most 3 bytes");
    }
}
