//! What owners and admins look at: how a key is used, why it is refused, and who has an account.

mod accounts;
mod explain;
mod usage;

pub use accounts::{AccountList, ListedAccount};
pub use explain::{Explanation, Gate, Hypothesis};
pub use usage::KeyUsage;
