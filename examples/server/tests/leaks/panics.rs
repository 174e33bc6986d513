//! A handler that panics with everything it has in its hands: what `Debug` shows of it holds no secret, nor does what is logged of
//! the request, down to the last level.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Extension, Router};
use sakms_axum::{Authenticated, RequireKey};
use sakms_core::entropy::OsEntropy;
use sakms_core::http::{Api, credential};
use sakms_core::key::{MasterKey, MasterKeys};
use sakms_core::secret::Password;
use sakms_core::service::{NewKey, Sakms};
use sakms_core::store::MemoryStore;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};

use crate::support::canaries::Canaries;
use crate::support::client;
use crate::support::server::{JWT_SECRET, MASTER_KEY};

const PASSWORD: &str = "violet tram kettle oak";

/// What is written to a log, for whoever looks at it later.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Says all it can, and gives up.
async fn panics(
    Authenticated(key): Authenticated,
    Extension(api): Extension<Api>,
    headers: HeaderMap,
) -> String {
    let shown = credential(&headers).unwrap();
    let master = MASTER_KEY.parse::<MasterKey>().unwrap();
    let secret = JWT_SECRET.parse::<HmacSecret>().unwrap();
    let password = Password::new(PASSWORD.to_owned());
    tracing::trace!(
        ?key,
        ?shown,
        ?master,
        ?secret,
        ?password,
        ?api,
        "about to panic"
    );
    panic!("{key:?} {shown:?} {master:?} {secret:?} {password:?} {api:#?}");
}

#[test]
fn a_handler_that_panics_tells_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let logged = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    logged
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let told = log.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let _ = writeln!(told.clone(), "{panic}");
    }));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (canaries, answer) = runtime.block_on(async {
        let mut canaries = Canaries::default();
        canaries.text("the master key", MASTER_KEY);
        canaries.text("the JWT secret", JWT_SECRET);
        canaries.text("a password", PASSWORD);
        let store = MemoryStore::new();
        let keyring = Keyring::hs256(JWT_SECRET.parse().unwrap());
        let issuer = JwtIssuer::builder(keyring)
            .audience("acme")
            .build()
            .unwrap();
        let master = MasterKeys::from(MASTER_KEY.parse::<MasterKey>().unwrap());
        let sakms = Sakms::builder(
            store.clone(),
            master
                .retire(MasterKey::generate(&OsEntropy).unwrap())
                .unwrap(),
        )
        .key_prefix("acme")
        .unwrap()
        .accounts(store.clone())
        .sessions(store)
        .token_issuer(issuer)
        .build()
        .unwrap();
        let password = Password::new(PASSWORD.to_owned());
        sakms.register("ada@example.com", &password).await.unwrap();
        let token = sakms.login("ada@example.com", &password).await.unwrap();
        let token = token.into_result().unwrap();
        canaries.token(token.token().expose());
        tracing::trace!(?token, "signed in");
        let ada = sakms
            .authenticate(token.token())
            .await
            .unwrap()
            .into_result()
            .unwrap();
        let made = sakms
            .create_key(&ada, NewKey::named("laptop".parse().unwrap()))
            .await
            .unwrap();
        canaries.key(made.text.expose());
        tracing::trace!(?made, ?ada, ?sakms, "a key");

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/panics", get(panics))
            .route_layer(RequireKey::new(&sakms))
            .layer(Extension(Api::from(sakms)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let key = made.text.expose().to_owned();
        let sent = tokio::task::spawn_blocking(move || {
            client::try_send(address, "GET", "/panics", &[("X-API-Key", &key)], "")
        });
        (canaries, sent.await.unwrap())
    });
    let _ = std::panic::take_hook();
    assert!(answer.is_err(), "the connection breaks off: {answer:?}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("about to panic") && log.contains("panicked at"),
        "{log}"
    );
    let found = canaries.found_in([("the log", &*log)]);
    assert!(found.is_empty(), "{found:#?}");
}
