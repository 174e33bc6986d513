//! The document against the table, the types and the file in the repository.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{asking, examples, openapi, openapi_under, oversight};
use crate::entropy::OsEntropy;
use crate::http::Api;
use crate::http::dto::{
    ChangeKey, ChangePassword, ConfirmAddress, CreateKey, ExplainKey, RefreshSession, RequestReset,
    ResetPassword, RevokeKeys, Rotate, SetRole, SignIn, VerifyKey, VerifyKeys,
};
use crate::http::route::{Access, Group, routes};
use crate::key::MasterKey;
use crate::service::Sakms;
use crate::store::MemoryStore;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// Every operation with its method in capitals and its path.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{path} has {method}");
            operations.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    operations
}

/// Every value under this name, wherever it stands.
fn all<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                if field == name {
                    found.push(inner);
                }
                all(inner, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, name, found)),
        _ => {}
    }
}

#[test]
fn it_has_every_route_and_no_other() {
    let document = document();
    let described: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let routed: BTreeSet<_> = routes()
        .iter()
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    assert_eq!(described, routed);
}

#[test]
fn every_operation_says_what_it_does_and_who_may_call() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let text = |field: &str| operation[field].as_str().unwrap_or_default();
        for field in ["operationId", "summary", "description"] {
            assert!(
                !text(field).is_empty(),
                "{method} {path} has no {field} in openapi/operations.rs"
            );
        }
        assert!(ids.insert(text("operationId")), "{method} {path}");
        let route = routes()
            .iter()
            .find(|route| route.method == *method && route.path == path);
        let route = route.unwrap();
        assert_eq!(
            operation["requestBody"].is_object(),
            route.takes_body && text("operationId") != "revoke_key"
        );
        let security = operation["security"].as_array().map_or(0, Vec::len);
        match &route.access {
            Access::Anyone => assert_eq!(security, 0, "{method} {path}"),
            Access::Admin | Access::SignedIn | Access::KeyHolder => {
                let ways = if route.access == Access::KeyHolder {
                    2
                } else {
                    1
                };
                assert_eq!(security, ways, "{method} {path}");
                for status in ["400", "401", "403", "500", "503"] {
                    assert!(
                        operation["responses"][status].is_object(),
                        "{method} {path} {status}"
                    );
                }
            }
            Access::Caller(scope) => {
                assert_eq!(operation["security"][1]["sakms_api_key"][0], scope.as_str());
                for status in ["400", "401", "403", "500", "503"] {
                    assert!(
                        operation["responses"][status].is_object(),
                        "{method} {path} {status}"
                    );
                }
            }
        }
        let tag = &operation["tags"][0];
        assert!(
            document["tags"]
                .as_array()
                .unwrap()
                .iter()
                .any(|known| known["name"] == *tag)
        );
        let in_path = operation["parameters"].as_array().into_iter().flatten();
        let in_path: Vec<_> = in_path
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let placeholders: Vec<_> = path
            .split('/')
            .filter(|part| part.starts_with('{'))
            .collect();
        assert_eq!(in_path, placeholders, "{method} {path}");
    }
}

#[test]
fn every_response_is_described_and_has_an_example() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let place = format!("{method} {path} {status}");
            assert!(
                status
                    .parse::<u16>()
                    .is_ok_and(|status| (200..600).contains(&status)),
                "{place}"
            );
            assert!(response["description"].is_string(), "{place}");
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                if kind.ends_with("json") && path != "/openapi.json" {
                    assert!(content["schema"].is_object(), "{place}");
                    assert_ne!(
                        content["example"].is_null(),
                        content["examples"].is_null(),
                        "{place}"
                    );
                }
            }
            if status.as_str() >= "400" {
                let examples = &response["content"]["application/problem+json"]["examples"];
                for (code, example) in examples.as_object().unwrap() {
                    let body = &example["value"];
                    assert_eq!(body["code"], code.as_str(), "{place}");
                    assert_eq!(body["status"].to_string(), *status, "{place}");
                    assert!(
                        body["detail"]
                            .as_str()
                            .is_some_and(|detail| !detail.is_empty())
                    );
                }
                assert!(
                    status != "401" || response["headers"]["WWW-Authenticate"].is_object(),
                    "{place}"
                );
                assert!(
                    status != "503" || response["headers"]["Retry-After"].is_object(),
                    "{place}"
                );
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_left_over() {
    let document = document();
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    let mut used = BTreeSet::new();
    for reference in references {
        let reference = reference.as_str().unwrap();
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
        used.insert(reference.rsplit('/').next().unwrap().to_owned());
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let named: BTreeSet<_> = schemas.keys().cloned().collect();
    assert_eq!(named, used);
    assert!(
        named.iter().all(|name| name.starts_with("sakms.")),
        "{named:?}"
    );
}

#[test]
fn requests_are_read_as_the_examples_say() {
    fn read<T: DeserializeOwned>(document: &Value, method: &str, path: &str) {
        let body = &document["paths"][path][method]["requestBody"]["content"]["application/json"];
        let example = body["example"].clone();
        assert!(example.is_object(), "{method} {path}");
        serde_json::from_value::<T>(example)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    }
    let document = document();
    read::<SignIn>(&document, "post", "/auth/register");
    read::<SignIn>(&document, "post", "/auth/login");
    read::<RefreshSession>(&document, "post", "/auth/refresh");
    read::<RequestReset>(&document, "post", "/auth/reset");
    read::<ResetPassword>(&document, "post", "/auth/reset/confirm");
    read::<ConfirmAddress>(&document, "post", "/auth/confirm");
    read::<ChangePassword>(&document, "post", "/auth/password");
    read::<CreateKey>(&document, "post", "/keys");
    read::<ChangeKey>(&document, "patch", "/keys/{id}");
    read::<RevokeKeys>(&document, "post", "/keys/revoke");
    read::<Rotate>(&document, "post", "/keys/{id}/rotate");
    read::<SetRole>(&document, "put", "/roles/{name}");
    read::<VerifyKey>(&document, "post", "/keys/verify");
    read::<VerifyKeys>(&document, "post", "/keys/verify/batch");
    read::<ExplainKey>(&document, "post", "/keys/{id}/explain");
    // The three of OAuth are forms, which are read field by field.
    let bodies = routes().iter().filter(|route| route.takes_body).count();
    assert_eq!(bodies, 15 + 3, "a body was added: read its example here");
}

/// The fields of an answer's example are exactly those of its schema, and those it requires are there.
#[test]
fn answers_look_as_their_schemas_say() {
    let document = document();
    for (schema, example) in [
        ("Registered", examples::registered()),
        ("Session", examples::session()),
        ("Key", examples::key()),
        ("Key", examples::changed_key()),
        ("Jwks", examples::jwks()),
        ("Status", examples::revoked()),
        ("Status", examples::ready()),
        ("Status", examples::status("enabled")),
        ("Secret", examples::shown_key()["secrets"][0].clone()),
        ("BulkRevocation", examples::bulk_revocation()),
        ("Role", examples::role()),
        ("AuditRow", examples::audit_row()),
        ("Usage", oversight::usage()),
        ("Explained", oversight::explained()),
        ("Account", oversight::account()),
        ("Health", examples::health()),
    ] {
        let schema = &document["components"]["schemas"][format!("sakms.{schema}")];
        let fields: BTreeSet<_> = example.as_object().unwrap().keys().collect();
        let described: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(fields, described);
        let required: BTreeSet<_> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        assert_eq!(
            required,
            fields.iter().map(|field| format!("{field:?}")).collect()
        );
    }
    // What only some services give.
    let schema = &document["components"]["schemas"]["sakms.SignedIn"];
    let fields = examples::signed_in();
    let fields = fields.as_object().unwrap();
    let described = schema["properties"].as_object().unwrap();
    assert!(fields.keys().eq(described.keys()));
    let required = serde_json::json!(["access_token", "token_type", "expires_in"]);
    assert_eq!(schema["required"], required);
    let mut new = examples::new_key();
    assert!(
        new["api_key"]
            .take()
            .as_str()
            .unwrap()
            .starts_with(new["prefix"].as_str().unwrap())
    );
}

#[test]
fn requests_refuse_fields_that_their_schemas_do_not_have() {
    let document = document();
    for schema in [
        "SignIn",
        "CreateKey",
        "ChangeKey",
        "RevokeKeys",
        "VerifyKey",
        "VerifyKeys",
        "ExplainKey",
        "Rotate",
        "SetRole",
        "RefreshSession",
        "ChangePassword",
        "RequestReset",
        "ResetPassword",
        "ConfirmAddress",
    ] {
        let schema = &document["components"]["schemas"][format!("sakms.{schema}")];
        assert_eq!(schema["additionalProperties"], false, "{schema}");
    }
}

#[test]
fn it_moves_under_a_prefix_as_a_whole() {
    for prefix in ["/account", "/account/"] {
        let document = serde_json::to_value(openapi_under(prefix)).unwrap();
        let paths = operations(&document);
        assert_eq!(paths.len(), routes().len());
        assert!(
            paths
                .iter()
                .all(|(_, path, _)| path.starts_with("/account/"))
        );
        assert_eq!(document["components"], self::document()["components"]);
        assert_eq!(document["tags"], self::document()["tags"]);
    }
}

/// A host with users of its own, which mounts the keys alone: what it does not have is not described.
/// What is said of a key depends on whether it is good: each answer has the fields that are always there, and no other than
/// those described.
#[test]
fn verifications_look_as_their_schema_says() {
    let document = document();
    let schema = &document["components"]["schemas"]["sakms.Verification"];
    let described: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(schema["required"], serde_json::json!(["valid", "code"]));
    let answers = asking::verifications();
    let mut seen = BTreeSet::new();
    for answer in answers.as_array().unwrap() {
        let fields: BTreeSet<_> = answer.as_object().unwrap().keys().cloned().collect();
        assert!(
            fields.contains("valid") && fields.contains("code"),
            "{answer}"
        );
        seen.extend(fields);
    }
    // Only a key whose limit is used up has a time to wait.
    seen.insert("retry_after".to_owned());
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), described);
}

#[test]
fn a_hosts_part_says_what_the_host_has() {
    let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy).unwrap());
    let api = Api::from(sakms.build().unwrap()).groups([Group::Keys]);
    let described = |api: &Api| serde_json::to_value(api.openapi_under("/account")).unwrap();
    let document = described(&api);
    let paths: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(_, path, _)| path)
        .collect();
    // Without tokens, and without a way of the host's, nobody is an admin.
    let of_keys = routes()
        .iter()
        .filter(|route| route.group == Group::Keys && route.access != Access::Admin);
    let of_keys: BTreeSet<_> = of_keys
        .map(|route| format!("/account{}", route.path))
        .collect();
    assert_eq!(paths, of_keys);
    let nowhere = serde_json::to_value(api.openapi_under("")).unwrap();
    assert!(nowhere["paths"]["/keys/{id}"].is_object());
    let tags = document["tags"].as_array().unwrap();
    assert_eq!(tags.len(), 1, "{tags:?}");
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    assert!(
        schemes.keys().eq(["sakms_api_key", "sakms_api_key_bearer"]),
        "no token without an issuer"
    );

    let document = described(&api.caller_scheme("session"));
    for (method, path, operation) in operations(&document) {
        let ways = operation["security"].as_array().unwrap();
        if path.ends_with("/keys/current/revoke") {
            assert_eq!(ways.len(), 2, "for keys alone");
            continue;
        }
        let by_keys = if path.ends_with("/explain") { 0 } else { 2 };
        assert_eq!(ways.len(), 1 + by_keys, "{method} {path}");
        assert_eq!(ways[0], serde_json::json!({"session": []}));
        assert!(ways.iter().all(|way| way["sakms_token"].is_null()));
    }
}

#[cfg(feature = "docs-ui")]
#[test]
fn what_is_sent_follows_the_settings() {
    let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy).unwrap());
    let sent = |api: &Api| serde_json::from_slice::<Value>(&api.shown(false)).unwrap();
    let api = Api::from(sakms.build().unwrap());
    assert!(sent(&api)["paths"]["/health"].is_object());
    let keys = api.clone().groups([Group::Keys]);
    assert!(sent(&keys)["paths"]["/health"].is_null());
    let keys = keys.caller_scheme("session");
    let ways = &sent(&keys)["paths"]["/keys"]["get"]["security"];
    assert!(ways[0]["session"].is_array(), "{ways}");
    let all = keys.groups([Group::Keys, Group::Meta]);
    let ways = &sent(&all)["paths"]["/keys"]["get"]["security"];
    assert!(ways[0]["session"].is_array(), "{ways}");
    let ways = &sent(&all)["paths"]["/health"]["get"]["security"];
    assert_eq!(*ways, serde_json::json!([]), "anyone");
    assert!(sent(&api)["paths"]["/health"].is_object());
}

/// The file is what a reader of the repository, a generator of clients and a review see. `UPDATE_SNAPSHOT=1` writes it.
#[cfg(feature = "docs-ui")]
#[test]
fn the_file_in_the_repository_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let mut document = document();
    // A new version alone is no change of the interface.
    document["info"]["version"] = "0".into();
    document["paths"]["/health"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
        ["version"] = "0".into();
    if std::env::var_os("UPDATE_SNAPSHOT").is_some() {
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        std::fs::write(path, text).unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        kept == document,
        "run UPDATE_SNAPSHOT=1 cargo test -p sakms-core --all-features, and look at what changed"
    );
}
