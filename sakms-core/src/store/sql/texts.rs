//! The statements. Each is one constant text: nothing is ever formatted into a query, and a server that keeps
//! prepared statements keeps few.
//!
//! What MariaDB and SQLite spell differently is with the [backends](super::backend::Backend).

/// The columns of a key in the order in which [`records`](super::records) reads them.
macro_rules! key_columns {
    () => {
        "k.id, k.owner, k.name, k.environment, k.shown_prefix, k.scopes, k.metadata, k.created_at, \
         k.expires_at, k.disabled_at, k.revoked_at, k.revision, \
         (SELECT MAX(u.last_used_at) FROM sakms_secret_uses u WHERE u.key_id = k.id)"
    };
}

pub(super) use key_columns;

/// The columns of an account in the order in which [`records`](super::records) reads them.
macro_rules! account_columns {
    () => {
        "id, email, canonical_email, password_hash, created_at, revision"
    };
}

/// The columns of a journal row.
macro_rules! journal_columns {
    () => {
        "seq, id, at, actor, action, subject, detail, chain"
    };
}

/// A secret, its key and the state of its owner. The joins are outer ones: a secret whose key is gone must show as
/// a broken row, not as a secret that does not exist.
pub(super) const FIND: &str = concat!(
    "SELECT s.id, s.key_id, s.hash, s.shown_prefix, s.created_at, s.retired_at, o.disabled_at, ",
    key_columns!(),
    " FROM sakms_secrets s LEFT JOIN sakms_keys k ON k.id = s.key_id \
     LEFT JOIN sakms_owners o ON o.owner = k.owner WHERE s.id = ?"
);
pub(super) const KEY: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM sakms_keys k WHERE k.id = ?"
);
/// A page of an owner's keys, where the database may need to be told how to find it.
macro_rules! keys_of_owner {
    ($hint:literal) => {
        concat!(
            "SELECT ",
            $crate::store::sql::texts::key_columns!(),
            " FROM sakms_keys k ",
            $hint,
            " WHERE k.owner = ? AND k.id <= ? ORDER BY k.id DESC LIMIT ?"
        )
    };
}
pub(super) use keys_of_owner;

pub(super) const ADD_KEY: &str = "INSERT INTO sakms_keys (id, owner, name, environment, \
     shown_prefix, scopes, metadata, created_at, expires_at, disabled_at, revoked_at, revision) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// The revision that was read stands in the condition: the statement changes the record that was read or none.
pub(super) const CHANGE_KEY: &str = "UPDATE sakms_keys SET name = ?, shown_prefix = ?, \
     scopes = ?, metadata = ?, expires_at = ?, disabled_at = ?, revoked_at = ?, revision = ? \
     WHERE id = ? AND revision = ?";

pub(super) const ADD_SECRET: &str = "INSERT INTO sakms_secrets (id, key_id, hash, shown_prefix, \
     created_at, retired_at) VALUES (?, ?, ?, ?, ?, ?)";
pub(super) const RETIRE_SECRETS: &str = "UPDATE sakms_secrets SET retired_at = ? \
     WHERE key_id = ? AND (retired_at IS NULL OR retired_at > ?)";
pub(super) const HASH: &str = "SELECT hash FROM sakms_secrets WHERE id = ?";
/// The hash that was read stands in the condition, as a revision does elsewhere.
pub(super) const CHANGE_HASH: &str = "UPDATE sakms_secrets SET hash = ? WHERE id = ? AND hash = ?";

/// How many secrets `KEYS_OF_SECRETS` and [`ADD_USES`](super::backend::Backend::ADD_USES) speak of. A round trip for
/// each use would take a busy service seconds, and a text for each number of uses would be many texts.
pub(super) const USES: usize = 32;
pub(super) const KEYS_OF_SECRETS: &str = "SELECT id, key_id FROM sakms_secrets WHERE id IN \
     (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// What both databases spell alike of `ADD_USES`.
macro_rules! add_uses {
    () => {
        "INSERT INTO sakms_secret_uses (key_id, secret_id, uses, last_used_at) VALUES \
         (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
         (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
         (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
         (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
         (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
         (?, ?, ?, ?), (?, ?, ?, ?) "
    };
}
pub(super) use add_uses;

pub(super) const OWNER: &str = "SELECT disabled_at FROM sakms_owners WHERE owner = ?";
/// `REPLACE` is the one upsert that MariaDB and SQLite spell alike.
pub(super) const DISABLE_OWNER: &str =
    "REPLACE INTO sakms_owners (owner, disabled_at) VALUES (?, ?)";
pub(super) const ENABLE_OWNER: &str = "DELETE FROM sakms_owners WHERE owner = ?";

pub(super) const ACCOUNT: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM sakms_accounts WHERE id = ?"
);
pub(super) const ACCOUNT_BY_EMAIL: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM sakms_accounts WHERE canonical_email = ?"
);
pub(super) const ADD_ACCOUNT: &str = concat!(
    "INSERT INTO sakms_accounts (",
    account_columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?)"
);
pub(super) const CHANGE_PASSWORD: &str = "UPDATE sakms_accounts SET password_hash = ?, \
     revision = ? WHERE id = ? AND revision = ?";
pub(super) const CHANGE_PASSWORD_HASH: &str = "UPDATE sakms_accounts SET password_hash = ? \
     WHERE id = ? AND password_hash = ?";

pub(super) const JOURNAL_AFTER: &str = concat!(
    "SELECT ",
    journal_columns!(),
    " FROM sakms_journal WHERE seq > ? ORDER BY seq LIMIT ?"
);
pub(super) const JOURNAL_ENTRY: &str = "SELECT seq FROM sakms_journal WHERE id = ?";
pub(super) const ADD_TO_JOURNAL: &str = concat!(
    "INSERT INTO sakms_journal (",
    journal_columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
);
pub(super) const HEAD: &str = "SELECT seq, chain FROM sakms_journal_head WHERE id = 1";
pub(super) const MOVE_HEAD: &str =
    "UPDATE sakms_journal_head SET seq = ?, chain = ? WHERE id = 1 AND seq = ?";

/// Reads a table as well as the migrations: a Galera node outside the majority answers `SELECT 1`, but no question
/// about a table.
pub(super) const PING: &str = "SELECT (SELECT COUNT(*) FROM sakms_journal_head), \
     (SELECT COUNT(*) FROM sakms_migrations WHERE success = TRUE AND version <= ?)";
/// Names every table and every column, and reads nothing but the head.
pub(super) const TABLES: &str = concat!(
    "SELECT (SELECT COUNT(*) FROM sakms_journal_head), EXISTS (SELECT ",
    key_columns!(),
    " FROM sakms_keys k WHERE 1 = 0), EXISTS (SELECT id, key_id, hash, shown_prefix, created_at, \
     retired_at FROM sakms_secrets WHERE 1 = 0), EXISTS (SELECT key_id, secret_id, uses, \
     last_used_at FROM sakms_secret_uses WHERE 1 = 0), EXISTS (SELECT owner, disabled_at \
     FROM sakms_owners WHERE 1 = 0), EXISTS (SELECT ",
    account_columns!(),
    " FROM sakms_accounts WHERE 1 = 0), EXISTS (SELECT ",
    journal_columns!(),
    " FROM sakms_journal WHERE 1 = 0), EXISTS (SELECT id, seq, chain FROM sakms_journal_head \
     WHERE 1 = 0)"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_about_uses_have_room_for_as_many() {
        assert_eq!(KEYS_OF_SECRETS.matches('?').count(), USES);
        assert_eq!(add_uses!().matches('?').count(), 4 * USES);
    }
}
