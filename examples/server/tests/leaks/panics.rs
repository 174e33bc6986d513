//! A handler that panics with everything it has in its hands: what `Debug` shows of it holds no secret, nor does what is logged of
//! the request, down to the last level. On each framework.

use std::fmt::Debug;
use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock};

use actix_web::{App, HttpServer, web};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Extension, Router};
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

/// The one log of this process: what happens at any level, and what is said of a panic.
fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let made = || {
        let log = Log::default();
        let (events, panics) = (log.clone(), log.clone());
        let logged = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        logged
            .with_writer(move || events.clone())
            .with_ansi(false)
            .init();
        std::panic::set_hook(Box::new(move |panic| {
            let _ = writeln!(panics.clone(), "{panic}");
        }));
        log
    };
    LOG.get_or_init(made).clone()
}

/// Says all it can, and gives up.
fn give_up(key: &dyn Debug, shown: &dyn Debug, api: &Api) -> String {
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

async fn on_axum(
    sakms_axum::Authenticated(key): sakms_axum::Authenticated,
    Extension(api): Extension<Api>,
    headers: HeaderMap,
) -> String {
    give_up(&key, &credential(&headers).unwrap(), &api)
}

async fn on_actix(
    sakms_actix::Authenticated(key): sakms_actix::Authenticated,
    api: web::Data<Api>,
    request: actix_web::HttpRequest,
) -> String {
    let text = request.headers().get("X-API-Key").unwrap();
    let headers = [("x-api-key", text.to_str().unwrap())];
    let headers = headers.map(|(name, text)| (name.parse().unwrap(), text.parse().unwrap()));
    give_up(
        &key,
        &credential(&HeaderMap::from_iter(headers)).unwrap(),
        &api,
    )
}

#[test]
fn a_handler_of_axum_that_panics_tells_no_secret() {
    tells_no_secret(|listener, sakms| {
        let app = Router::new()
            .route("/panics", get(on_axum))
            .route_layer(sakms_axum::RequireKey::new(&sakms))
            .layer(Extension(Api::from(sakms)));
        tokio::spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener);
            axum::serve(listener.unwrap(), app).await.unwrap();
        });
    });
}

#[test]
fn a_handler_of_actix_that_panics_tells_no_secret() {
    tells_no_secret(|listener, sakms| {
        std::thread::spawn(|| {
            let api = web::Data::new(Api::from(sakms.clone()));
            let app = move || {
                let guard = sakms_actix::RequireKey::new(&sakms);
                let panics = web::resource("/panics").wrap(guard).get(on_actix);
                App::new().app_data(api.clone()).service(panics)
            };
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.listen(listener).unwrap().run();
            actix_web::rt::System::new().block_on(server).unwrap();
        });
    });
}

/// Shows a key to a server whose handler panics, and looks into the log.
fn tells_no_secret(serve: impl FnOnce(TcpListener, Sakms)) {
    let log = log();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (canaries, key) = runtime.block_on(async {
        let (sakms, canaries, key) = service().await;
        serve(listener, sakms);
        (canaries, key)
    });
    let answer = client::try_send(address, "GET", "/panics", &[("X-API-Key", &key)], "");
    assert!(answer.is_err(), "the connection breaks off: {answer:?}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("about to panic") && log.contains("panicked at"),
        "{log}"
    );
    let found = canaries.found_in([("the log", &*log)]);
    assert!(found.is_empty(), "{found:#?}");
}

/// A service, the secrets it holds, and a key of it.
async fn service() -> (Sakms, Canaries, String) {
    let mut canaries = Canaries::default();
    canaries.text("the master key", MASTER_KEY);
    canaries.text("the JWT secret", JWT_SECRET);
    canaries.text("a password", PASSWORD);
    let store = MemoryStore::new();
    let keyring = Keyring::hs256(JWT_SECRET.parse().unwrap());
    let issuer = JwtIssuer::builder(keyring).audience("acme").build();
    let master = MasterKeys::from(MASTER_KEY.parse::<MasterKey>().unwrap());
    let master = master.retire(MasterKey::generate(&OsEntropy).unwrap());
    let sakms = Sakms::builder(store.clone(), master.unwrap())
        .key_prefix("acme")
        .unwrap()
        .accounts(store.clone())
        .sessions(store)
        .token_issuer(issuer.unwrap())
        .build()
        .unwrap();
    let password = Password::new(PASSWORD.to_owned());
    sakms.register("ada@example.com", &password).await.unwrap();
    let token = sakms.login("ada@example.com", &password).await.unwrap();
    let token = token.into_result().unwrap();
    canaries.token(token.token().expose());
    tracing::trace!(?token, "signed in");
    let ada = sakms.authenticate(token.token()).await.unwrap();
    let ada = ada.into_result().unwrap();
    let wanted = NewKey::named("laptop".parse().unwrap());
    let made = sakms.create_key(&ada, wanted).await.unwrap();
    canaries.key(made.text.expose());
    tracing::trace!(?made, ?ada, ?sakms, "a key");
    let key = made.text.expose().to_owned();
    (sakms, canaries, key)
}
