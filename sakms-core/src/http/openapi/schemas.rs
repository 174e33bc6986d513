//! The schemas of single values: the rules that their parsers hold them to.

use std::borrow::Cow;

use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, KnownFormat, Ref, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Timestamp;
use crate::id::{AccountId, EntryId, KeyId, SecretId, SessionId};
use crate::key::{
    Environment, IpRange, KeyName, KeyState, Metadata, Owner, RoleName, RoleSet, Scope, ScopeSet,
    Tag, TagSet,
};
use crate::secret::Password;
use crate::token::{Jwks, PublicJwk};

const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
const WORD: &str = "[a-z0-9_.-]+";
const NAME: &str = "^[a-z0-9_.:-]{1,64}$";

/// The schema of a type, under the name `sakms.…`.
macro_rules! schema {
    ($type:ident, $schema:expr $(, needs $part:ident)?) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(concat!("sakms.", stringify!($type)))
            }

            $(fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push(($part::name().into_owned(), $part::schema()));
            })?
        }
    };
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some(description))
}

fn id(description: &str) -> ObjectBuilder {
    text(description)
        .format(Some(SchemaFormat::Custom("uuid".into())))
        .pattern(Some(UUID))
}

schema!(
    KeyId,
    id("Names a key for as long as it lives: a UUID of version 7.")
);
schema!(
    SecretId,
    id("Names one secret of a key: a UUID of version 7.")
);
schema!(SessionId, id("Names a session: a UUID of version 7."));
schema!(AccountId, id("Names an account: a UUID of version 7."));
schema!(
    EntryId,
    id("Names an entry of the journal: a UUID of version 7.")
);

schema!(
    KeyName,
    text("What its owner calls it: any text, kept to the letter.")
        .max_length(Some(KeyName::MAX_CHARS))
);

schema!(
    Owner,
    text("Who holds keys: any text of 1 to 128 bytes. An account holds keys under its id.")
        .min_length(Some(1))
        .max_length(Some(Owner::MAX_BYTES))
);

schema!(
    Tag,
    text("A word by which keys are found again.")
        .pattern(Some(NAME))
        .examples(["ci", "team:billing"])
);

schema!(
    RoleName,
    text("What a role is called.")
        .pattern(Some(NAME))
        .examples(["reader"])
);

schema!(
    TagSet,
    ArrayBuilder::new()
        .items(Ref::from_schema_name(Tag::name()))
        .max_items(Some(TagSet::MAX_LEN))
        .description(Some("By what a key is found again.")),
    needs Tag
);

schema!(
    RoleSet,
    ArrayBuilder::new()
        .items(Ref::from_schema_name(RoleName::name()))
        .max_items(Some(RoleSet::MAX_LEN))
        .description(Some("Which roles a key holds: it may do what their scopes say, as they are at the time.")),
    needs RoleName
);

schema!(
    KeyState,
    text("Whether a key is good, and if not, why: the first of these that holds.")
        .enum_values(Some(KeyState::ALL.map(KeyState::as_str)))
);

schema!(
    IpRange,
    text("An address, or all that share their first bits (CIDR, RFC 4632).").examples([
        "192.0.2.7",
        "192.0.2.0/24",
        "2001:db8::/32"
    ])
);

schema!(
    Environment,
    text("Which world a key belongs to: one of the service's environments, which are `live` and `test` unless it says otherwise.")
        .pattern(Some("^[a-z0-9]+$"))
        .min_length(Some(1))
        .max_length(Some(Environment::MAX_BYTES))
        .examples(["live", "test"])
);

schema!(
    Scope,
    text("`resource:action`, `resource:*` for every action on it, or `*` for everything.")
        .pattern(Some(format!(r"^(\*|{WORD}:(\*|{WORD}))$")))
        .max_length(Some(Scope::MAX_BYTES))
        .examples(["reports:read", "reports:*"])
);

schema!(
    ScopeSet,
    ArrayBuilder::new()
        .items(Ref::from_schema_name(Scope::name()))
        .max_items(Some(ScopeSet::MAX_LEN))
        .description(Some("What a key may do. Without a scope it is known, and may do nothing that asks for one.")),
    needs Scope
);

schema!(
    Metadata,
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Object))
        .additional_properties(Some(AdditionalProperties::RefOr(String::schema())))
        .description(Some(format!(
            "Pairs of text that are kept with a key; together at most {} bytes as JSON.",
            Metadata::MAX_BYTES
        )))
);

schema!(
    Timestamp,
    text("A moment (RFC 3339), to the microsecond. Answers are in UTC.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples(["2099-12-31T23:59:59Z"])
);

schema!(
    Password,
    text(
        "At most 1,024 bytes. A new one has at least 15 characters, unless the service says otherwise, and is none of \
         those that are tried first."
    )
    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
    .max_length(Some(Password::MAX_BYTES))
    .write_only(true)
);

schema!(
    PublicJwk,
    [
        ("crv", "`Ed25519` or `P-256`; a key for RS256 has none."),
        ("x", "The key for EdDSA, the first coordinate for ES256."),
        ("y", "The second coordinate for ES256."),
        ("n", "The modulus for RS256."),
        ("e", "The exponent for RS256."),
    ]
    .into_iter()
    .fold(
        [
            ("kty", "`OKP`, `EC` or `RSA`."),
            ("use", "`sig`."),
            (
                "alg",
                "`EdDSA`, `ES256` or `RS256`: what the key is for, and nothing else."
            ),
            ("kid", "What tokens call it by."),
        ]
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, what)| {
            object.property(name, text(what)).required(name)
        }),
        |object, (name, what)| object.property(name, text(what)),
    )
    .description(Some(
        "A public key (RFC 7517; RFC 7518, section 6; RFC 8037). Its numbers are base64url."
    ))
);

schema!(
    Jwks,
    ObjectBuilder::new()
        .property("keys", ArrayBuilder::new().items(Ref::from_schema_name(PublicJwk::name())))
        .required("keys")
        .description(Some("Public keys (RFC 7517, section 5).")),
    needs PublicJwk
);
