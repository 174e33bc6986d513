//! The room of `sakms-core` whose files are modelled, by the same name.

mod cache;
mod fill;
