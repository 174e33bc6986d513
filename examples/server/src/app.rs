//! The application: what a host that uses SAKMS writes.

use axum::Router;
use axum::middleware::from_fn;
use sakms_core::account::password::PasswordPolicy;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::http::{Api, QueryToken};
use sakms_core::service::{Sakms, SakmsBuilder};
use sakms_core::token::{JwtIssuer, Keyring};

use crate::config::{HashSettings, QueryTokenSetting, Settings};
use crate::database::Database;
use crate::error::Failure;
use crate::keys::Keys;
use crate::{demo, trace};

/// Key management over a database.
pub(crate) fn sakms(settings: &Settings, database: Database, keys: Keys) -> Result<Sakms, Failure> {
    // The prefix names the service to people and to its tokens alike.
    let issuer = JwtIssuer::builder(Keyring::hs256(keys.jwt_secret))
        .audience(&settings.key_prefix)
        .lifetime(settings.token_lifetime)
        .build();
    let issuer = issuer.map_err(|error| Failure::new("tokens", &error))?;
    let builder = match database {
        Database::Sqlite(store) => Sakms::builder(store.clone(), keys.master).accounts(store),
        Database::MariaDb(store) => Sakms::builder(store.clone(), keys.master).accounts(store),
    };
    let prefixed = builder.key_prefix(&settings.key_prefix);
    let builder = prefixed
        .map_err(|error| Failure::new("--key-prefix", &error))?
        .token_issuer(issuer);
    let sakms = hashing(builder, &settings.hashing)?.build();
    sakms.map_err(|error| Failure::new("the service could not be set up", &error))
}

fn hashing(builder: SakmsBuilder, settings: &HashSettings) -> Result<SakmsBuilder, Failure> {
    let params = Argon2Params::new(
        settings.argon2_memory,
        settings.argon2_iterations,
        settings.argon2_lanes,
    );
    let params =
        params.map_err(|error| Failure::new("the Argon2 settings are not valid", &error))?;
    let mut config = HashPoolConfig::default()
        .params(params)
        .queue(settings.hash_queue.into());
    if let Some(threads) = settings.hash_threads {
        config = config
            .key_threads(threads.into())
            .password_threads(threads.into());
    }
    let passwords = PasswordPolicy::default().with_min_chars(settings.password_min.into());
    Ok(builder.hashing(config).password_policy(passwords))
}

/// The routes: the host's own, and SAKMS's merged in.
pub(crate) fn router(settings: &Settings, sakms: &Sakms) -> Result<Router, Failure> {
    let query_token = match settings.query_token {
        QueryTokenSetting::Allow => QueryToken::Allow,
        QueryTokenSetting::Deny => QueryToken::Deny,
    };
    let body_limit = usize::try_from(settings.http.body_limit).unwrap_or(usize::MAX);
    let api = Api::from(sakms.clone())
        .query_token(query_token)
        .body_limit(body_limit)
        .body_time(settings.http.body_timeout);
    let demo = demo::router(sakms).map_err(|error| Failure::new("a demo route's scope", &error))?;
    Ok(Router::new()
        .merge(demo)
        .merge(sakms_axum::router(api))
        .fallback(sakms_axum::not_found)
        .method_not_allowed_fallback(sakms_axum::method_not_allowed)
        .layer(from_fn(trace::request)))
}
