//! What the example applications have before they have SAKMS: a database, users with sessions, settings, and a document
//! of their own routes. Nothing here knows of a web framework; where SAKMS comes in, the applications show.

mod database;
mod error;
mod openapi;
mod sessions;
mod settings;
mod users;

pub use database::{migrate, open};
pub use error::Error;
pub use openapi::openapi;
pub use sessions::{COOKIE, from_elsewhere};
pub use settings::{Settings, stop_signal};
pub use users::{Credentials, NotAUser, UserId, Users};
