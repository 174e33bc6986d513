//! The journal: every change, in order, written in the transaction that makes it.
//!
//! It is the audit log, the feed that other nodes follow, and the outbox in one. Its numbers have no gap and
//! their order is the order of commits, because the row that holds the last number is locked while a change is
//! written. Each row carries a hash over the one before, so that a row that was changed, taken out or moved
//! shows.

mod chain;
mod entry;
mod query;
mod word;

pub use chain::{BrokenChain, ChainHash, InvalidHead, JournalHead, JournalRow, verify};
pub use entry::{JournalEntry, Seq};
pub use query::JournalQuery;
pub use word::{Action, Actor, Subject, Whose};
