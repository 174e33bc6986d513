//! What a store reads back: a document or a row that it cannot have written is an error that says so, and what is read is kept
//! when it is written again.

use std::fmt::Debug;

use sakms_core::account::AccountRecord;
use sakms_core::journal::JournalRow;
use sakms_core::key::{KeyRecord, KeyWithSecrets, Role, SecretRecord};
use sakms_core::store::sql::decode::{Reading, RowOf, Value};
use sakms_core::store::{Document, IdempotencyRecord};

use crate::draw::Draw;

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    match draw.below(8) {
        0 => document::<KeyRecord>(draw.rest()),
        1 => document::<SecretRecord>(draw.rest()),
        2 => document::<KeyWithSecrets>(draw.rest()),
        3 => document::<AccountRecord>(draw.rest()),
        4 => document::<JournalRow>(draw.rest()),
        5 => document::<Role>(draw.rest()),
        6 => document::<IdempotencyRecord>(draw.rest()),
        _ => row(&mut draw),
    }
}

fn document<T: Document + PartialEq + Debug>(bytes: &[u8]) {
    match T::from_document(bytes) {
        Ok(record) => {
            let written = record.to_document();
            match T::from_document(&written) {
                Ok(again) => assert_eq!(again, record),
                Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&written)),
            }
        }
        Err(error) => assert!(error.to_string().starts_with("a stored "), "{error}"),
    }
}

/// A good row with other values in some of its columns.
fn row(draw: &mut Draw<'_>) {
    let kind = *draw.pick(&RowOf::ALL);
    let mut values = kind.good();
    while !draw.is_empty() {
        let place = draw.below(values.len() + 1);
        let value = match draw.below(8) {
            0 => Value::Null,
            1 => Value::Int(i64::from_le_bytes(draw.bytes())),
            2 => Value::Int(i64::from(i8::from_le_bytes(draw.bytes()))),
            3 => Value::Bytes(draw.short().to_vec()),
            4 => Value::Text(String::from_utf8_lossy(draw.short()).into_owned()),
            5 => edited(&values, place, draw),
            6 => longer(&values, place, draw),
            _ => {
                values.truncate(place);
                continue;
            }
        };
        match values.get_mut(place) {
            Some(column) => *column = value,
            None => values.push(value),
        }
        if values.len() > 64 {
            break;
        }
    }
    match kind.read(values) {
        Reading::Kept => {}
        Reading::Corrupt(said) => assert!(!said.is_empty()),
        Reading::Lost(said) => panic!("{kind:?}: {said}"),
    }
}

/// The text or the bytes that stand there, changed.
fn edited(values: &[Value], place: usize, draw: &mut Draw<'_>) -> Value {
    match values.get(place) {
        Some(Value::Text(text)) => {
            let mut changes = Draw::new(draw.short());
            Value::Text(changes.edit(text))
        }
        Some(Value::Bytes(bytes)) => {
            let mut bytes = bytes.clone();
            bytes.push(draw.byte());
            Value::Bytes(bytes)
        }
        Some(Value::Int(number)) => Value::Int(number.wrapping_neg()),
        Some(Value::Null) | None => Value::Text(String::new()),
    }
}

/// More than any column holds, in bytes.
const LONG: usize = 1 << 20;

/// What stands there, many times over.
fn longer(values: &[Value], place: usize, draw: &mut Draw<'_>) -> Value {
    let place = values.get(place);
    let length = match place {
        Some(Value::Text(text)) => text.len(),
        Some(Value::Bytes(bytes)) => bytes.len(),
        _ => 1,
    };
    let times = (1 << draw.below(12)).min(LONG / length.max(1)).max(1);
    match place {
        Some(Value::Text(text)) => Value::Text(
            [text.as_str()]
                .repeat(times)
                .join(*draw.pick(&["", " ", ","])),
        ),
        Some(Value::Bytes(bytes)) => Value::Bytes(bytes.repeat(times)),
        Some(Value::Int(number)) => Value::Int(number.wrapping_mul(i64::try_from(times).unwrap())),
        Some(Value::Null) | None => Value::Int(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_rows_are_kept_and_rows_of_nothing_are_corrupt() {
        for kind in RowOf::ALL {
            assert_eq!(kind.read(kind.good()), Reading::Kept, "{kind:?}");
            let nothing = kind.read(Vec::new());
            assert!(matches!(nothing, Reading::Corrupt(_)), "{kind:?}");
        }
    }
}
