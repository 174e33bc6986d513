//! The application: what a host that uses SAKMS writes. The service is made here; [`axum`] and [`actix`] give it to a
//! framework each, with the same routes and the same answers.

pub(crate) mod actix;
pub(crate) mod axum;

use sakms_core::account::PasswordPolicy;
use sakms_core::hash::{Argon2Params, HashPoolConfig, KeyHasher};
use sakms_core::http::{Api, QueryToken};
use sakms_core::key::{KeyPrefix, MasterKeys};
use sakms_core::service::{
    CacheConfig, KeyLifetimes, LimiterDown, RotationOverlap, Sakms, SessionConfig, ThrottleConfig,
    TokenExchange,
};

use crate::config::{
    CacheSettings, ExchangeAudience, HashSettings, HttpSettings, KeyHasherSetting, KeySettings,
    LimiterDownSetting, QueryTokenSetting, SessionSettings, Settings, ThrottleSetting,
};
use crate::database::Database;
use crate::error::Failure;
use crate::mail::Mail;
use crate::tokens::{self, Issuer};

/// How keys are made and secrets are proven, as the settings say.
#[derive(Debug)]
pub(crate) struct Rules {
    hashing: HashPoolConfig,
    passwords: PasswordPolicy,
    lifetimes: KeyLifetimes,
    overlap: RotationOverlap,
    exchange: Option<TokenExchange>,
    mail: Option<Mail>,
}

impl Rules {
    /// Reads the settings, so that a wrong one is found before anything is made or opened.
    pub(crate) fn of(settings: &Settings) -> Result<Self, Failure> {
        let prefix = settings.key_prefix.parse::<KeyPrefix>();
        prefix.map_err(|error| Failure::new("--key-prefix", &error))?;
        tokens::check(&settings.keyring)?;
        let HashSettings {
            key_hasher,
            argon2_memory,
            argon2_iterations,
            argon2_lanes,
            hash_queue,
            ..
        } = settings.hashing;
        let params = Argon2Params::new(argon2_memory, argon2_iterations, argon2_lanes);
        let params = params.map_err(|error| Failure::new("the Argon2 settings", &error))?;
        let key_hasher = match key_hasher {
            KeyHasherSetting::Argon2id => KeyHasher::Argon2id,
            KeyHasherSetting::HmacSha256 => KeyHasher::HmacSha256,
        };
        let mut hashing = HashPoolConfig::default()
            .params(params)
            .key_hasher(key_hasher)
            .queue(hash_queue.into());
        if let Some(threads) = settings.hashing.hash_threads {
            hashing = hashing
                .key_threads(threads.into())
                .password_threads(threads.into());
        }
        let passwords = PasswordPolicy::default()
            .with_min_chars(settings.hashing.password_min.into())
            .with_name(&settings.key_prefix);
        let (lifetimes, overlap) = times(&settings.keys)?;
        Ok(Self {
            hashing,
            passwords,
            lifetimes,
            overlap,
            exchange: exchange(settings)?,
            mail: Mail::of(&settings.mail)?,
        })
    }
}

fn times(settings: &KeySettings) -> Result<(KeyLifetimes, RotationOverlap), Failure> {
    let lifetimes = KeyLifetimes::new(
        settings.key_lifetime,
        settings.key_lifetime_min,
        settings.key_lifetime_max,
    );
    let lifetimes = lifetimes.map_err(|error| Failure::new("--key-lifetime", &error))?;
    let overlap = RotationOverlap::new(settings.rotation_overlap, settings.rotation_overlap_max);
    let overlap = overlap.map_err(|error| Failure::new("--rotation-overlap", &error))?;
    Ok((lifetimes, overlap))
}

/// Key management over a database.
pub(crate) fn sakms(
    settings: &Settings,
    rules: Rules,
    database: Database,
    master: MasterKeys,
    issuer: Issuer,
) -> Result<Sakms, Failure> {
    let builder = match database {
        Database::Sqlite(store) => Sakms::builder(store.clone(), master)
            .accounts(store.clone())
            .sessions(store),
        Database::MariaDb(store) => Sakms::builder(store.clone(), master)
            .accounts(store.clone())
            .sessions(store),
    };
    let mut builder = builder
        .key_lifetimes(rules.lifetimes)
        .rotation_overlap(rules.overlap)
        .remember_requests(settings.keys.idempotency_time)
        .refusals_per_minute(settings.keys.refusals_per_minute)
        .session_config(sessions(settings))
        .hashing(rules.hashing)
        .caching(caching(&settings.cache))
        .throttles(throttles(&settings.http))
        .password_policy(rules.passwords)
        .limiter_down(match settings.http.limiter_down {
            LimiterDownSetting::Closed => LimiterDown::Closed,
            LimiterDownSetting::Open => LimiterDown::Open,
        });
    builder = match issuer {
        Issuer::Alone(issuer) => builder.token_issuer(issuer),
        Issuer::Stored(issuer) => builder.token_issuer(issuer),
        Issuer::AfterSecret(issuer) => builder.token_issuer(issuer),
    };
    if let Some(mail) = rules.mail {
        builder = mail.set_up(builder)?;
    }
    if let Some(exchange) = rules.exchange {
        builder = builder.token_exchange(exchange);
    }
    if let Some(most) = settings.keys.keys_per_owner {
        builder = builder.keys_per_owner(most);
    }
    let prefixed = builder.key_prefix(&settings.key_prefix);
    let builder = prefixed.map_err(|error| Failure::new("--key-prefix", &error))?;
    builder
        .build()
        .map_err(|error| Failure::new("the service could not be set up", &error))
}

fn sessions(settings: &Settings) -> SessionConfig {
    let SessionSettings {
        session_idle,
        session_lifetime,
        refresh_grace,
        sessions_per_account,
    } = settings.sessions;
    SessionConfig::default()
        .idle(session_idle)
        .absolute(session_lifetime)
        .grace(refresh_grace)
        .most(sessions_per_account)
        .remembered(entries(settings.cache.cache_sessions))
}

/// For whom keys are exchanged, if for anybody.
fn exchange(settings: &Settings) -> Result<Option<TokenExchange>, Failure> {
    let audiences = &settings.exchange.audiences;
    if audiences.is_empty() {
        return Ok(None);
    }
    let mut exchange = TokenExchange::new().lifetime(settings.exchange.lifetime);
    for ExchangeAudience {
        audience,
        environment,
    } in audiences.iter().cloned()
    {
        if audience.as_str() == settings.key_prefix {
            let why = "the key prefix is the audience of this service itself";
            return Err(Failure::plain(format!("--exchange-audience: {why}")));
        }
        exchange = match environment {
            Some(environment) => exchange.audience_in(audience, environment),
            None => exchange.audience(audience),
        };
    }
    Ok(Some(exchange))
}

fn entries(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn caching(settings: &CacheSettings) -> CacheConfig {
    CacheConfig::default()
        .keys(entries(settings.cache_keys))
        .denials(entries(settings.cache_denials))
        .follow_every(settings.journal_interval)
        .max_staleness(settings.max_staleness)
}

fn throttles(settings: &HttpSettings) -> ThrottleConfig {
    if settings.throttles == ThrottleSetting::Off {
        return ThrottleConfig::off();
    }
    let usual = ThrottleConfig::default();
    usual
        .account(
            usual
                .for_account()
                .free(settings.throttle_account_free)
                .most(settings.throttle_account_most),
        )
        .source(usual.for_source().free(settings.throttle_source_free))
        .registrations(
            usual
                .for_registrations()
                .free(settings.throttle_registrations_free),
        )
}

/// The HTTP side of the service, as the settings say.
pub(crate) fn api(settings: &Settings, sakms: &Sakms) -> Api {
    let query_token = match settings.query_token {
        QueryTokenSetting::Allow => QueryToken::Allow,
        QueryTokenSetting::Deny => QueryToken::Deny,
    };
    let body_limit = usize::try_from(settings.http.body_limit).unwrap_or(usize::MAX);
    Api::from(sakms.clone())
        .query_token(query_token)
        .trusted_proxies(settings.http.trusted_proxies.clone())
        .body_limit(body_limit)
        .body_time(settings.http.body_timeout)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn keys_are_exchanged_for_others_and_never_for_the_service_itself() {
        let read = |list: &str| {
            let settings = ["sakms-server", "--exchange-audience", list];
            Rules::of(&Settings::try_parse_from(settings).unwrap())
        };
        let rules = read("https://reports.example,https://test.example=test").unwrap();
        assert!(rules.exchange.is_some());
        assert!(read("https://reports.example,sakms").is_err());
        let settings = Settings::try_parse_from(["sakms-server"]).unwrap();
        assert!(Rules::of(&settings).unwrap().exchange.is_none());
    }

    #[test]
    fn the_hasher_that_is_set_is_the_one_that_is_used() {
        for (set, used) in [
            ("argon2id", KeyHasher::Argon2id),
            ("hmac-sha256", KeyHasher::HmacSha256),
        ] {
            let settings = Settings::try_parse_from(["sakms-server", "--key-hasher", set]);
            let rules = Rules::of(&settings.unwrap()).unwrap();
            let expected = HashPoolConfig::default().key_hasher(used);
            assert_eq!(rules.hashing, expected, "{set}");
        }
    }

    #[test]
    fn sign_ins_are_slowed_down_as_set() {
        let read = |arguments: &[&str]| {
            let settings = Settings::try_parse_from([&["sakms-server"], arguments].concat());
            settings.map(|settings| throttles(&settings.http))
        };
        let usual = ThrottleConfig::default();
        assert_eq!(read(&[]).ok(), Some(usual));
        assert_eq!(
            read(&["--throttles", "off"]).ok(),
            Some(ThrottleConfig::off())
        );
        let set = read(&[
            "--throttle-account-free",
            "3",
            "--throttle-account-most",
            "30",
            "--throttle-source-free",
            "50",
            "--throttle-registrations-free",
            "7",
        ]);
        let expected = usual
            .account(usual.for_account().free(3).most(30))
            .source(usual.for_source().free(50))
            .registrations(usual.for_registrations().free(7));
        assert_eq!(set.ok(), Some(expected));
        for bad in ["0", "101", "-1", ""] {
            assert!(read(&["--throttle-account-most", bad]).is_err(), "{bad}");
        }
    }
}
