//! SAKMS gives an application API keys: it issues them, checks them on every request, revokes them, and signs people in.
//!
//! This crate is all of it but the web framework. An application on axum or actix-web takes `sakms-axum` or `sakms-actix`,
//! which make routes of [`http::routes`] and middleware of [`http::Guard`], and this crate for the types. One on neither (a
//! gRPC service, a queue's worker, a command line) calls [`service::Sakms`] by hand, as here.
//!
//! # A complete program
//!
//! ```
//! use sakms_core::entropy::OsEntropy;
//! use sakms_core::key::MasterKey;
//! use sakms_core::secret::{Password, PresentedKey};
//! use sakms_core::service::{Error, NewKey, Requirement, Sakms};
//! use sakms_core::store::MemoryStore;
//! use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};
//! use sakms_core::verdict::Verdict;
//!
//! /// What a request is answered: yes or no; or neither (`Err`), when it could not be decided.
//! async fn reports(sakms: &Sakms, readers: &Requirement, text: &str) -> Result<String, Error> {
//!     let presented = PresentedKey::new(text.to_owned());
//!     Ok(match sakms.verify(&presented, readers).await? {
//!         Verdict::Granted(key) => format!("reports of {}", key.name().as_str()),
//!         Verdict::Denied(reason) => format!("refused: {reason}"),
//!     })
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // A real service takes a `SqliteStore` or a `MariaDbStore`, and keeps both secrets somewhere else.
//!     let store = MemoryStore::new();
//!     let keyring = Keyring::hs256(HmacSecret::generate(&OsEntropy)?);
//!     let sakms = Sakms::builder(store.clone(), MasterKey::generate(&OsEntropy)?)
//!         .key_prefix("acme")?
//!         .accounts(store)
//!         .token_issuer(JwtIssuer::builder(keyring).audience("acme").build()?)
//!         .build()?;
//!
//!     // Somebody registers, signs in,
//!     let password = Password::new("violet tram kettle oak".to_owned());
//!     sakms.register("ada@example.com", &password).await?;
//!     let token = sakms.login("ada@example.com", &password).await?.into_result()?;
//!     let ada = sakms.authenticate(token.token()).await?.into_result()?;
//!
//!     // makes a key, whose text is shown this one time,
//!     let mut laptop = NewKey::named("laptop".parse()?);
//!     laptop.scopes = "reports:read".parse()?;
//!     let created = sakms.create_key(&ada, laptop).await?;
//!     let text = created.text.expose();
//!
//!     // and uses it, until it is revoked.
//!     let readers = Requirement::any_key().scope("reports:read")?;
//!     assert_eq!(reports(&sakms, &readers, text).await?, "reports of laptop");
//!     assert_eq!(reports(&sakms, &readers, "acme_guess").await?, "refused: the key is not valid");
//!     sakms.revoke_key(&ada, created.key.id).await?;
//!     assert_eq!(reports(&sakms, &readers, text).await?, "refused: the key was revoked");
//!
//!     // Uses are counted in memory, and stored now and then and here.
//!     sakms.flush().await?;
//!     Ok(())
//! }
//! ```
//!
//! # Where to find what
//!
//! | module | holds |
//! | --- | --- |
//! | [`service`] | [`Sakms`](service::Sakms), which is what a host holds, and its use cases. Begin here |
//! | [`http`] | the route table, the guard, errors as `application/problem+json`, the OpenAPI document |
//! | [`store`] | the traits of durable storage, and three of it: memory, SQLite, MariaDB |
//! | [`key`] | what a key is: its text, its record, its scopes, the master key |
//! | [`account`] | people who sign in, for hosts that have no users of their own |
//! | [`token`] | JWTs: who makes them, and what they are signed with |
//! | [`hash`] | Argon2id on a bounded pool of threads |
//! | [`journal`] | every change, in order, under a chain of hashes |
//! | [`verdict`] | the answer of a check |
//! | [`secret`] | values that cannot be printed, cloned or compared |
//! | [`id`], [`clock`], [`entropy`] | identifiers; time and randomness, which a test may hold still |
//! | [`testkit`] | conformance suites for whoever writes a store or an adapter |
//!
//! # Features
//!
//! | feature | | gives |
//! | --- | --- | --- |
//! | `sqlite` | default | [`store::SqliteStore`]; SQLite itself is compiled in |
//! | `http` | default | [`http`] |
//! | `mariadb` | | [`store::MariaDbStore`], for MariaDB 10.6 and MySQL 8 or newer, with TLS by rustls |
//! | `openapi` | | [`http::openapi`](fn@http::openapi), the OpenAPI 3.1 document of every route; brings `http` |
//! | `docs-ui` | | the routes `/openapi.json`, `/docs` and `/redoc`, with every file in the binary (740 KB); brings `openapi` |
//! | `smtp` | | [`mail::SmtpMailer`], with TLS by rustls |
//! | `testkit` | | [`testkit`], for tests |
//!
//! Features add: none excludes another, and none changes what another does.
//!
//! # Errors
//!
//! A refusal is a value, [`Verdict::Denied`](verdict::Verdict::Denied) with its reason: the key is bad. An `Err` says that
//! it could not be decided or done: the database is down, too many hashes wait. To mix the two up would throw good keys away
//! in an outage, or let bad ones in.
//!
//! [`service::Error`] is what use cases fail with, [`store::StoreError`] what stores do, with a
//! [kind](store::StoreErrorKind) to decide by. An error's text is for the log and its source for nobody else: clients are
//! told what [`http::Problem`] says. A change that failed changed nothing, but for
//! [`OutcomeUnknown`](store::StoreErrorKind::OutcomeUnknown): the connection broke while it was being committed.
//!
//! What is set up at start (prefixes, scopes, secrets, parameters) is checked there, by types that refuse what is wrong.
//!
//! # Security
//!
//! - A key's secret has 256 random bits. Its text carries a tag that only the holder of the [master
//!   key](key::MasterKey) can make, so that guesses reach neither the database nor Argon2. Keep the master key apart from
//!   the database and as long as its keys shall work.
//! - What is stored of a secret or a password is an Argon2id hash. How much of it runs at a time is bounded
//!   ([`hash::HashPoolConfig`]); what goes past it is refused, and is no denial.
//! - Who does not hold a key's secret does not learn whether it was revoked or has expired.
//! - A plain secret is in two places: in the request until it is verified, and in the answer that creates it. The types in
//!   [`secret`] hold the code to that.
//! - JWTs are of one algorithm for each key, checked in every claim, and good until they expire: to stop somebody at once,
//!   [disable the owner](service::Sakms::disable_owner).
//! - The crate has no `unsafe` code. TLS, and limits on connections and on slow clients, are the host's.
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod account;
pub mod clock;
pub mod entropy;
pub mod hash;
#[cfg(feature = "http")]
pub mod http;
pub mod id;
pub mod journal;
pub mod key;
pub mod mail;
pub mod secret;
pub mod service;
pub mod store;
mod telemetry;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod token;
pub mod verdict;
