//! The targets, one a file. Each says at its top what must hold.

pub mod body;
pub mod credentials;
pub mod cursor;
pub mod email;
pub mod forwarded;
pub mod key_text;
pub mod requirement;
pub mod stored_hash;
pub mod stored_row;
pub mod token;
