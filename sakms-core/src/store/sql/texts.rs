//! The statements. Each is one constant text: nothing is ever formatted into a query, and a server that keeps
//! prepared statements keeps few.
//!
//! What MariaDB and SQLite spell differently is with the [backends](super::backend::Backend).

/// The columns of a key in the order in which [`records`](super::records) reads them.
macro_rules! key_columns {
    () => {
        "k.id, k.owner, k.name, k.environment, k.shown_prefix, k.scopes, k.metadata, k.created_at, \
         k.expires_at, k.disabled_at, k.revoked_at, k.revision, p.not_before, p.roles, p.tags, \
         p.limits, (SELECT MAX(u.last_used_at) FROM sakms_secret_uses u WHERE u.key_id = k.id)"
    };
}
pub(super) use key_columns;

/// What of a key stands in a row of its own, which most keys do not have.
macro_rules! with_policy {
    () => {
        " LEFT JOIN sakms_key_policies p ON p.key_id = k.id "
    };
}
pub(super) use with_policy;

/// The columns of an account in the order in which [`records`](super::records) reads them.
macro_rules! account_columns {
    () => {
        "a.id, a.email, a.canonical_email, a.password_hash, a.created_at, a.revision, \
         (SELECT GROUP_CONCAT(r.role) FROM sakms_account_roles r WHERE r.account_id = a.id)"
    };
}

pub(super) use account_columns;

/// The columns of what is kept for a while, in the order in which [`records`](super::records) reads them.
macro_rules! state_columns {
    () => {
        "s.id, s.kind, s.owner, s.value, s.created_at, s.expires_at, s.revision"
    };
}
pub(super) use state_columns;

/// The columns of a journal row.
macro_rules! journal_columns {
    () => {
        "j.seq, j.id, j.at, j.actor, j.action, j.subject, j.detail, j.chain"
    };
}
pub(super) use journal_columns;

/// A secret, its key and the state of its owner. The joins are outer ones: a secret whose key is gone must show as
/// a broken row, not as a secret that does not exist.
pub(super) const FIND: &str = concat!(
    "SELECT s.id, s.key_id, s.hash, s.shown_prefix, s.created_at, s.retired_at, o.disabled_at, ",
    key_columns!(),
    " FROM sakms_secrets s LEFT JOIN sakms_keys k ON k.id = s.key_id",
    with_policy!(),
    "LEFT JOIN sakms_owners o ON o.owner = k.owner WHERE s.id = ?"
);
pub(super) const KEY: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM sakms_keys k",
    with_policy!(),
    "WHERE k.id = ?"
);
/// A page of keys: of all, or of those that a condition is for. A database may need to be told how to find them.
///
/// Each filter is a number, 0 when it is not asked for, and what it asks for. The states are numbered in the order in
/// which [`KeyState`](crate::key::KeyState) says that they are looked at.
macro_rules! page_of_keys {
    ($hint:literal, $whose:literal) => {
        concat!(
            "SELECT ",
            $crate::store::sql::texts::key_columns!(),
            " FROM sakms_keys k ",
            $hint,
            $crate::store::sql::texts::with_policy!(),
            "WHERE ",
            $whose,
            "k.id <= ? \
             AND (? = 0 OR CASE WHEN k.revoked_at IS NOT NULL THEN 1 \
                 WHEN k.disabled_at IS NOT NULL THEN 2 WHEN k.expires_at <= ? THEN 3 \
                 WHEN p.not_before > ? THEN 4 ELSE 5 END = ?) \
             AND (? = 0 OR k.environment = ?) \
             AND (? = 0 OR INSTR(p.tags, ?) > 0) \
             AND (? = 0 OR COALESCE((SELECT MAX(u.last_used_at) FROM sakms_secret_uses u \
                 WHERE u.key_id = k.id), k.created_at) < ?) \
             AND (? = 0 OR k.expires_at < ?) \
             ORDER BY k.id DESC LIMIT ?"
        )
    };
}
pub(super) use page_of_keys;
/// How many keys of an owner, without one of them, are not revoked and not expired at a moment; no more than so many are
/// looked for.
macro_rules! count_keys {
    ($hint:literal) => {
        concat!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM sakms_keys k ",
            $hint,
            " WHERE k.owner = ? AND k.id <> ? AND k.revoked_at IS NULL \
             AND (k.expires_at IS NULL OR k.expires_at > ?) LIMIT ?) found"
        )
    };
}
pub(super) use count_keys;

pub(super) const ADD_KEY: &str = "INSERT INTO sakms_keys (id, owner, name, environment, \
     shown_prefix, scopes, metadata, created_at, expires_at, disabled_at, revoked_at, revision) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// The revision that was read stands in the condition: the statement changes the record that was read or none.
pub(super) const CHANGE_KEY: &str = "UPDATE sakms_keys SET name = ?, shown_prefix = ?, \
     scopes = ?, metadata = ?, expires_at = ?, disabled_at = ?, revoked_at = ?, revision = ? \
     WHERE id = ? AND revision = ?";
/// `REPLACE` is the one upsert that MariaDB and SQLite spell alike.
pub(super) const SET_POLICY: &str = "REPLACE INTO sakms_key_policies (key_id, not_before, roles, \
     tags, limits) VALUES (?, ?, ?, ?, ?)";

pub(super) const ADD_SECRET: &str = "INSERT INTO sakms_secrets (id, key_id, hash, shown_prefix, \
     created_at, retired_at) VALUES (?, ?, ?, ?, ?, ?)";
pub(super) const RETIRE_SECRETS: &str = "UPDATE sakms_secrets SET retired_at = ? \
     WHERE key_id = ? AND (retired_at IS NULL OR retired_at > ?)";
pub(super) const SHOWN_PREFIX: &str =
    "SELECT shown_prefix FROM sakms_secrets WHERE id = ? AND key_id = ?";
pub(super) const KEEP_SECRET: &str =
    "UPDATE sakms_secrets SET retired_at = NULL WHERE id = ? AND key_id = ?";
pub(super) const SECRETS: &str = "SELECT s.id, s.key_id, s.hash, s.shown_prefix, s.created_at, \
     s.retired_at, u.uses, u.last_used_at, f.last_used_from FROM sakms_secrets s \
     LEFT JOIN sakms_secret_uses u ON u.key_id = s.key_id AND u.secret_id = s.id \
     LEFT JOIN sakms_secret_sources f ON f.key_id = s.key_id AND f.secret_id = s.id \
     WHERE s.key_id = ?";
pub(super) const HASH: &str = "SELECT hash FROM sakms_secrets WHERE id = ?";
/// The hash that was read stands in the condition, as a revision does elsewhere.
pub(super) const CHANGE_HASH: &str = "UPDATE sakms_secrets SET hash = ? WHERE id = ? AND hash = ?";

/// How many secrets or keys `KEYS_OF_SECRETS`, [`ADD_USES`](super::backend::Backend::ADD_USES) and their like speak of. A
/// round trip for each use would take a busy service seconds, and a text for each number of uses would be many texts.
pub(super) const USES: usize = 32;
pub(super) const KEYS_OF_SECRETS: &str = "SELECT id, key_id FROM sakms_secrets WHERE id IN \
     (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// What both databases spell alike of statements that write [`USES`] rows of four values.
macro_rules! add_rows {
    ($into:literal) => {
        concat!(
            "INSERT INTO ",
            $into,
            " VALUES \
             (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
             (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
             (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
             (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
             (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
             (?, ?, ?, ?), (?, ?, ?, ?) "
        )
    };
}
pub(super) use add_rows;
pub(super) const DAYS: &str = "SELECT day, allowed, refused FROM sakms_key_days \
     WHERE key_id = ? AND day BETWEEN ? AND ? AND (allowed <> 0 OR refused <> 0) ORDER BY day";

/// Takes so much in a period, when the period is a later one than the stored one, or the same with no more taken yet than
/// still fits beside it. What it changes comes before what it compares with: MariaDB assigns from the left to the right.
macro_rules! take_quota {
    ($taken:literal, $given:literal) => {
        concat!(
            "UPDATE sakms_quotas SET taken = ",
            $taken,
            ", period = ? WHERE key_id = ? AND (period < ? OR (period = ? AND taken BETWEEN 0 AND ?))",
            $given
        )
    };
}
pub(super) use take_quota;
pub(super) const QUOTA: &str = "SELECT period, taken FROM sakms_quotas WHERE key_id = ?";

pub(super) const REQUEST: &str =
    "SELECT id, request, key_id, secret_id, at FROM sakms_idempotency WHERE id = ?";
pub(super) const ADD_REQUEST: &str = "INSERT INTO sakms_idempotency (id, request, key_id, \
     secret_id, at) VALUES (?, ?, ?, ?, ?)";

pub(super) const ROLES: &str = "SELECT name, scopes, changed_at FROM sakms_roles ORDER BY name";
pub(super) const SET_ROLE: &str =
    "REPLACE INTO sakms_roles (name, scopes, changed_at) VALUES (?, ?, ?)";
pub(super) const REMOVE_ROLE: &str = "DELETE FROM sakms_roles WHERE name = ?";
pub(super) const COUNT_ROLES: &str = "SELECT COUNT(*) FROM sakms_roles";

pub(super) const OWNER: &str = "SELECT disabled_at FROM sakms_owners WHERE owner = ?";
pub(super) const DISABLE_OWNER: &str =
    "REPLACE INTO sakms_owners (owner, disabled_at) VALUES (?, ?)";
pub(super) const ENABLE_OWNER: &str = "DELETE FROM sakms_owners WHERE owner = ?";

pub(super) const ACCOUNT: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM sakms_accounts a WHERE a.id = ?"
);
pub(super) const ACCOUNT_BY_EMAIL: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM sakms_accounts a WHERE a.canonical_email = ?"
);
pub(super) const ACCOUNTS: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM sakms_accounts a WHERE a.id <= ? ORDER BY a.id DESC LIMIT ?"
);
pub(super) const ADD_ACCOUNT: &str = "INSERT INTO sakms_accounts (id, email, canonical_email, \
     password_hash, created_at, revision) VALUES (?, ?, ?, ?, ?, ?)";
pub(super) const GIVE_ROLE: &str =
    "REPLACE INTO sakms_account_roles (account_id, role) VALUES (?, ?)";
pub(super) const TAKE_ROLE: &str =
    "DELETE FROM sakms_account_roles WHERE account_id = ? AND role = ?";
pub(super) const CHANGE_PASSWORD: &str = "UPDATE sakms_accounts SET password_hash = ?, \
     revision = ? WHERE id = ? AND revision = ?";
pub(super) const CHANGE_PASSWORD_HASH: &str = "UPDATE sakms_accounts SET password_hash = ? \
     WHERE id = ? AND password_hash = ?";

pub(super) const STATE: &str = concat!(
    "SELECT ",
    state_columns!(),
    " FROM sakms_states s WHERE s.id = ? AND s.kind = ?"
);
/// Those of a kind, or of an owner's, the newest first. A database may need to be told how to find them.
macro_rules! states {
    ($hint:literal, $whose:literal) => {
        concat!(
            "SELECT ",
            $crate::store::sql::texts::state_columns!(),
            " FROM sakms_states s ",
            $hint,
            "WHERE ",
            $whose,
            "s.kind = ? ORDER BY s.created_at DESC, s.id DESC LIMIT ?"
        )
    };
}
pub(super) use states;
pub(super) const ADD_STATE: &str = "INSERT INTO sakms_states (id, kind, owner, value, created_at, \
     expires_at, revision) VALUES (?, ?, ?, ?, ?, ?, ?)";
pub(super) const CHANGE_STATE: &str = "UPDATE sakms_states SET value = ?, expires_at = ?, \
     revision = ? WHERE id = ? AND kind = ? AND revision = ?";
pub(super) const REMOVE_STATE: &str =
    "DELETE FROM sakms_states WHERE id = ? AND kind = ? AND revision = ?";

pub(super) const JOURNAL_AFTER: &str = concat!(
    "SELECT ",
    journal_columns!(),
    " FROM sakms_journal j WHERE j.seq > ? ORDER BY j.seq LIMIT ?"
);
/// A page of the journal from a place back. The filters are as those of `page_of_keys`.
macro_rules! page_of_journal {
    ($from:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $crate::store::sql::texts::journal_columns!(),
            " FROM ",
            $from,
            " AND (? = 0 OR j.actor = ?) AND (? = 0 OR j.action = ?) AND (? = 0 OR j.subject = ?) \
             AND (? = 0 OR j.at >= ?) AND (? = 0 OR j.at < ?) ORDER BY ",
            $order,
            " DESC LIMIT ?"
        )
    };
}
pub(super) use page_of_journal;
pub(super) const JOURNAL_ENTRY: &str = "SELECT seq FROM sakms_journal WHERE id = ?";
pub(super) const ADD_TO_JOURNAL: &str = "INSERT INTO sakms_journal (seq, id, at, actor, action, \
     subject, detail, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
pub(super) const HEAD: &str = "SELECT seq, chain FROM sakms_journal_head WHERE id = 1";
pub(super) const MOVE_HEAD: &str =
    "UPDATE sakms_journal_head SET seq = ?, chain = ? WHERE id = 1 AND seq = ?";

/// Reads a table as well as the migrations: a Galera node outside the majority answers `SELECT 1`, but no question
/// about a table.
pub(super) const PING: &str = "SELECT (SELECT COUNT(*) FROM sakms_journal_head), \
     (SELECT COUNT(*) FROM sakms_migrations WHERE success = TRUE AND version <= ?)";
/// Names every table and every column, and reads nothing but the head. What only one database has follows.
macro_rules! tables {
    ($more:literal) => {
        concat!(
            "SELECT (SELECT COUNT(*) FROM sakms_journal_head), EXISTS (SELECT ",
            $crate::store::sql::texts::key_columns!(),
            " FROM sakms_keys k",
            $crate::store::sql::texts::with_policy!(),
            "WHERE 1 = 0), EXISTS (SELECT id, key_id, hash, shown_prefix, created_at, retired_at \
             FROM sakms_secrets WHERE 1 = 0), EXISTS (SELECT key_id, secret_id, uses, \
             last_used_at FROM sakms_secret_uses WHERE 1 = 0), EXISTS (SELECT key_id, secret_id, \
             last_used_at, last_used_from FROM sakms_secret_sources WHERE 1 = 0), EXISTS (SELECT \
             key_id, day, allowed, refused FROM sakms_key_days WHERE 1 = 0), EXISTS (SELECT \
             key_id, period, taken FROM sakms_quotas WHERE 1 = 0), EXISTS (SELECT id, request, \
             key_id, secret_id, at FROM sakms_idempotency WHERE 1 = 0), EXISTS (SELECT name, \
             scopes, changed_at FROM sakms_roles WHERE 1 = 0), EXISTS (SELECT owner, disabled_at \
             FROM sakms_owners WHERE 1 = 0), EXISTS (SELECT ",
            $crate::store::sql::texts::account_columns!(),
            " FROM sakms_accounts a WHERE 1 = 0), EXISTS (SELECT ",
            $crate::store::sql::texts::journal_columns!(),
            " FROM sakms_journal j WHERE 1 = 0), EXISTS (SELECT seq, owner \
             FROM sakms_journal_owners WHERE 1 = 0), EXISTS (SELECT id, seq, chain \
             FROM sakms_journal_head WHERE 1 = 0), EXISTS (SELECT ",
            $crate::store::sql::texts::state_columns!(),
            " FROM sakms_states s WHERE 1 = 0)",
            $more
        )
    };
}
pub(super) use tables;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_about_uses_have_room_for_as_many() {
        assert_eq!(KEYS_OF_SECRETS.matches('?').count(), USES);
        assert_eq!(add_rows!("x").matches('?').count(), 4 * USES);
    }
}
