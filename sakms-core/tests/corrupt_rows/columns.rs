//! What is broken, column by column.

/// What to do to a row, in the words of both databases, and which column the error names. `<bad>` is text that is
/// not UTF-8.
pub(crate) const KEYS: [(&str, &str); 28] = [
    ("UPDATE sakms_keys SET owner = <bad>", "sakms_keys.owner"),
    ("UPDATE sakms_keys SET owner = ''", "sakms_keys.owner"),
    ("UPDATE sakms_keys SET name = <bad>", "sakms_keys.name"),
    (
        "UPDATE sakms_keys SET environment = 'LIVE'",
        "sakms_keys.environment",
    ),
    (
        "UPDATE sakms_keys SET environment = ''",
        "sakms_keys.environment",
    ),
    (
        "UPDATE sakms_keys SET shown_prefix = <bad>",
        "sakms_keys.shown_prefix",
    ),
    (
        "UPDATE sakms_keys SET scopes = 'everything'",
        "sakms_keys.scopes",
    ),
    ("UPDATE sakms_keys SET scopes = <bad>", "sakms_keys.scopes"),
    ("UPDATE sakms_keys SET metadata = ''", "sakms_keys.metadata"),
    (
        "UPDATE sakms_keys SET metadata = '[]'",
        "sakms_keys.metadata",
    ),
    (
        "UPDATE sakms_keys SET metadata = '{\"a\":1}'",
        "sakms_keys.metadata",
    ),
    (
        "UPDATE sakms_keys SET created_at = -1",
        "sakms_keys.created_at",
    ),
    (
        "UPDATE sakms_keys SET created_at = 253402300800000000",
        "sakms_keys.created_at",
    ),
    (
        "UPDATE sakms_keys SET expires_at = -1",
        "sakms_keys.expires_at",
    ),
    (
        "UPDATE sakms_keys SET disabled_at = -1",
        "sakms_keys.disabled_at",
    ),
    (
        "UPDATE sakms_keys SET revoked_at = -1",
        "sakms_keys.revoked_at",
    ),
    ("UPDATE sakms_keys SET revision = -1", "sakms_keys.revision"),
    (
        "UPDATE sakms_keys SET revision = 4294967296",
        "sakms_keys.revision",
    ),
    (
        "INSERT INTO sakms_secret_uses SELECT key_id, id, 1, -5 FROM sakms_secrets",
        "sakms_secret_uses.last_used_at",
    ),
    (
        "REPLACE INTO sakms_key_policies SELECT id, -1, '', '', '{}' FROM sakms_keys",
        "sakms_key_policies.not_before",
    ),
    (
        "REPLACE INTO sakms_key_policies SELECT id, NULL, <bad>, '', '{}' FROM sakms_keys",
        "sakms_key_policies.roles",
    ),
    (
        "REPLACE INTO sakms_key_policies SELECT id, NULL, ' Admin ', '', '{}' FROM sakms_keys",
        "sakms_key_policies.roles",
    ),
    (
        "REPLACE INTO sakms_key_policies SELECT id, NULL, '', <bad>, '{}' FROM sakms_keys",
        "sakms_key_policies.tags",
    ),
    (
        "REPLACE INTO sakms_key_policies SELECT id, NULL, '', ' a,b ', '{}' FROM sakms_keys",
        "sakms_key_policies.tags",
    ),
    (
        "REPLACE INTO sakms_key_policies SELECT id, NULL, '', '', '' FROM sakms_keys",
        "sakms_key_policies.limits",
    ),
    (
        "REPLACE INTO sakms_key_policies SELECT id, NULL, '', '', '{\"later\":1}' FROM sakms_keys",
        "sakms_key_policies.limits",
    ),
    (
        "REPLACE INTO sakms_key_policies SELECT id, NULL, '', '', <bad> FROM sakms_keys",
        "sakms_key_policies.limits",
    ),
    // Foreign keys stand in the way of this one; whoever gets around them must not turn a key into an unknown one.
    ("<no foreign keys> DELETE FROM sakms_keys", "sakms_keys.id"),
];
pub(crate) const SECRETS: [(&str, &str); 5] = [
    (
        "UPDATE sakms_secrets SET hash = <bad>",
        "sakms_secrets.hash",
    ),
    (
        "UPDATE sakms_secrets SET shown_prefix = <bad>",
        "sakms_secrets.shown_prefix",
    ),
    (
        "UPDATE sakms_secrets SET created_at = -1",
        "sakms_secrets.created_at",
    ),
    (
        "UPDATE sakms_secrets SET retired_at = -1",
        "sakms_secrets.retired_at",
    ),
    (
        "INSERT INTO sakms_owners SELECT owner, -7 FROM sakms_keys",
        "sakms_owners.disabled_at",
    ),
];
pub(crate) const ACCOUNTS: [(&str, &str); 7] = [
    (
        "UPDATE sakms_accounts SET email = <bad>",
        "sakms_accounts.email",
    ),
    (
        "UPDATE sakms_accounts SET password_hash = <bad>",
        "sakms_accounts.password_hash",
    ),
    (
        "UPDATE sakms_accounts SET created_at = -1",
        "sakms_accounts.created_at",
    ),
    (
        "UPDATE sakms_accounts SET revision = -1",
        "sakms_accounts.revision",
    ),
    (
        "INSERT INTO sakms_account_roles SELECT id, 'adm' FROM sakms_accounts",
        "sakms_account_roles.role",
    ),
    (
        "INSERT INTO sakms_account_roles SELECT id, '' FROM sakms_accounts",
        "sakms_account_roles.role",
    ),
    (
        "INSERT INTO sakms_account_roles SELECT id, <bad> FROM sakms_accounts",
        "sakms_account_roles.role",
    ),
];
/// What is read of a key's secrets and their use.
pub(crate) const USES: [(&str, &str); 8] = [
    (
        "UPDATE sakms_secrets SET hash = <bad>",
        "sakms_secrets.hash",
    ),
    (
        "UPDATE sakms_secret_uses SET uses = -1",
        "sakms_secret_uses.uses",
    ),
    (
        "UPDATE sakms_secret_uses SET last_used_at = -1",
        "sakms_secret_uses.last_used_at",
    ),
    (
        "UPDATE sakms_secret_sources SET last_used_from = 'nowhere'",
        "sakms_secret_sources.last_used_from",
    ),
    (
        "UPDATE sakms_secret_sources SET last_used_from = <bad>",
        "sakms_secret_sources.last_used_from",
    ),
    (
        "UPDATE sakms_key_days SET day = 4000000",
        "sakms_key_days.day",
    ),
    (
        "UPDATE sakms_key_days SET allowed = -1",
        "sakms_key_days.allowed",
    ),
    (
        "UPDATE sakms_key_days SET refused = -1",
        "sakms_key_days.refused",
    ),
];
pub(crate) const QUOTAS: [(&str, &str); 2] = [
    ("UPDATE sakms_quotas SET period = -1", "sakms_quotas.period"),
    ("UPDATE sakms_quotas SET taken = -1", "sakms_quotas.taken"),
];
pub(crate) const REQUESTS: [(&str, &str); 3] = [
    (
        "UPDATE sakms_idempotency SET request = x'00'",
        "sakms_idempotency.request",
    ),
    (
        "UPDATE sakms_idempotency SET key_id = x''",
        "sakms_idempotency.key_id",
    ),
    (
        "UPDATE sakms_idempotency SET at = -1",
        "sakms_idempotency.at",
    ),
];
pub(crate) const ROLES: [(&str, &str); 4] = [
    ("UPDATE sakms_roles SET name = 'A'", "sakms_roles.name"),
    ("UPDATE sakms_roles SET name = <bad>", "sakms_roles.name"),
    (
        "UPDATE sakms_roles SET scopes = 'everything'",
        "sakms_roles.scopes",
    ),
    (
        "UPDATE sakms_roles SET changed_at = -1",
        "sakms_roles.changed_at",
    ),
];
pub(crate) const STATES: [(&str, &str); 8] = [
    (
        "UPDATE sakms_states SET kind = 'of_a_later_version'",
        "sakms_states.kind",
    ),
    ("UPDATE sakms_states SET owner = ''", "sakms_states.owner"),
    (
        "UPDATE sakms_states SET owner = <bad>",
        "sakms_states.owner",
    ),
    (
        "UPDATE sakms_states SET created_at = -1",
        "sakms_states.created_at",
    ),
    (
        "UPDATE sakms_states SET created_at = 9223372036854775807",
        "sakms_states.created_at",
    ),
    (
        "UPDATE sakms_states SET expires_at = -1",
        "sakms_states.expires_at",
    ),
    (
        "UPDATE sakms_states SET revision = -1",
        "sakms_states.revision",
    ),
    (
        "UPDATE sakms_states SET revision = 4294967296",
        "sakms_states.revision",
    ),
];
/// Makes the store empty again.
pub(crate) const WIPE: &str = "DELETE FROM sakms_secret_uses; DELETE FROM sakms_secrets; \
     DELETE FROM sakms_key_policies; DELETE FROM sakms_secret_sources; DELETE FROM sakms_key_days; \
     DELETE FROM sakms_quotas; DELETE FROM sakms_idempotency; DELETE FROM sakms_roles; \
     DELETE FROM sakms_account_roles; DELETE FROM sakms_journal_owners; DELETE FROM sakms_states; \
     DELETE FROM sakms_keys; DELETE FROM sakms_owners; DELETE FROM sakms_accounts; \
     DELETE FROM sakms_journal; UPDATE sakms_journal_head SET seq = 0, \
     chain = x'0000000000000000000000000000000000000000000000000000000000000000'";
pub(crate) const JOURNAL: [(&str, &str); 5] = [
    ("UPDATE sakms_journal SET at = -1", "sakms_journal.at"),
    (
        "UPDATE sakms_journal SET actor = <bad>",
        "sakms_journal.actor",
    ),
    (
        "UPDATE sakms_journal SET action = <bad>",
        "sakms_journal.action",
    ),
    (
        "UPDATE sakms_journal SET subject = <bad>",
        "sakms_journal.subject",
    ),
    (
        "UPDATE sakms_journal SET detail = <bad>",
        "sakms_journal.detail",
    ),
];
