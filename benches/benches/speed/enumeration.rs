//! Whether the time of a refusal tells what was wrong: which addresses have accounts, and which ids are of keys.
//!
//! Requests of each kind go through the whole router of axum in this process, without a socket, one at a time and in random
//! order. Argon2 has its default parameters. Throttles are off: they would refuse the second dozen of any of these.

use std::cell::Cell;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::routing::get;
use criterion::Criterion;
use sakms_benches::auc::auc;
use sakms_benches::figure::{Goal, Unit};
use sakms_benches::run::Run;
use sakms_benches::synthetic::{mixed, secret_id};
use sakms_benches::timing::{Spread, now};
use sakms_benches::world::{key_format, master_key, text};
use sakms_core::journal::Actor;
use sakms_core::key::Owner;
use sakms_core::secret::Password;
use sakms_core::service::{Caller, NewKey, Sakms, ThrottleConfig};
use sakms_core::store::SqliteStore;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};
use serde_json::{Value, json};
use tower_service::Service as _;

const PASSWORD: &str = "violet tram kettle oak";
const WRONG: &str = "violet tram kettle elm";
const GUARDED: &str = "/guarded";
/// What nobody can tell: one in fifty more or less than by a toss of a coin.
const GOAL: Goal = Goal::Between(0.48, 0.52);

pub(crate) fn measure(run: &Run, _: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sakms.db");
        let store = SqliteStore::open(file.to_str().unwrap()).await.unwrap();
        let app = App::over(store);
        sign_ins(run, &app).await;
        keys(run, &app).await;
    });
}

struct App {
    sakms: Sakms,
    router: Router,
}

/// One kind of refusal.
struct Kind {
    name: &'static str,
    /// Sent one after the other, and when all were, from the first on.
    requests: Vec<Box<dyn Fn() -> Request<Body>>>,
    next: Cell<usize>,
    status: StatusCode,
}

impl Kind {
    fn next_request(&self) -> Request<Body> {
        let next = self.next.get();
        self.next.set(next + 1);
        self.requests[next % self.requests.len()]()
    }
}

impl App {
    fn over(store: SqliteStore) -> Self {
        let secret = HmacSecret::from_bytes(b"kB3rVw9pTz6mXc1qHs8dLf4gNj7uYe2aRo5iKx0").unwrap();
        let issuer = JwtIssuer::builder(Keyring::hs256(secret)).audience("bench");
        let sakms = Sakms::builder(store.clone(), master_key())
            .accounts(store.clone())
            .sessions(store)
            .token_issuer(issuer.build().unwrap())
            .throttles(ThrottleConfig::off())
            .build()
            .unwrap();
        let guard = sakms_axum::RequireKey::new(&sakms);
        let guarded = Router::new().route(GUARDED, get(async || "hello"));
        let router = sakms_axum::router(sakms.clone()).merge(guarded.route_layer(guard));
        Self { sakms, router }
    }

    /// How long each of `times` requests of each kind takes, in random order.
    async fn times(&self, kinds: &[Kind], times: usize) -> Vec<Vec<f64>> {
        let mut order: Vec<_> = (0..kinds.len() * times)
            .map(|place| place % kinds.len())
            .collect();
        shuffle(&mut order);
        let mut taken = vec![Vec::with_capacity(times); kinds.len()];
        let mut router = self.router.clone();
        for place in order {
            let kind = &kinds[place];
            let request = kind.next_request();
            let begun = now();
            let answer = router.call(request).await.unwrap();
            let status = answer.status();
            to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            let took = begun.elapsed();
            assert_eq!(status, kind.status, "{}", kind.name);
            taken[place].push(took.as_secs_f64());
        }
        taken
    }

    /// Tells of each two kinds how well they can be told apart.
    async fn tell(&self, run: &Run, group: &str, kinds: &[Kind], times: usize, goal: Option<Goal>) {
        // Whatever is made at the first request is there.
        self.times(kinds, 10).await;
        let taken = self.times(kinds, times).await;
        for (kind, taken) in kinds.iter().zip(&taken) {
            let id = format!("enumeration/{group}-{}", kind.name);
            run.tell(&id, Unit::Seconds, Spread::of(taken.clone()), None);
        }
        for first in 0..kinds.len() {
            for second in first + 1..kinds.len() {
                let names = [first, second].map(|place| kinds[place].name);
                let id = format!("enumeration/{group}-{}-or-{}", names[0], names[1]);
                run.tell(&id, Unit::Ratio, auc(&taken[first], &taken[second]), goal);
            }
        }
    }
}

/// In an order that is the same with each run (Fisher and Yates).
fn shuffle(places: &mut [usize]) {
    for last in (1..places.len()).rev() {
        let drawn = mixed(last as u64) % (last as u64 + 1);
        places.swap(last, usize::try_from(drawn).unwrap());
    }
}

async fn sign_ins(run: &Run, app: &App) {
    const ACCOUNTS: usize = 40;
    let address = |kind: &str, number: usize| format!("{kind}{number:03}@example.com");
    let right = Password::new(PASSWORD.to_owned());
    for number in 0..ACCOUNTS {
        for kind in ["people", "former"] {
            let made = app
                .sakms
                .register(&address(kind, number), &right)
                .await
                .unwrap();
            if kind == "former" {
                let owner = Owner::from(made);
                app.sakms
                    .disable_owner(&owner, Actor::SYSTEM)
                    .await
                    .unwrap();
            }
        }
    }
    let kind = |name, address_of: &str, password: &'static str| {
        let request = |number| {
            let body = json!({"email": address(address_of, number), "password": password});
            Box::new(move || login(&body)) as Box<dyn Fn() -> Request<Body>>
        };
        Kind {
            name,
            requests: (0..ACCOUNTS).map(request).collect(),
            next: Cell::default(),
            status: StatusCode::UNAUTHORIZED,
        }
    };
    let kinds = [
        kind("unknown", "nobody", WRONG),
        kind("wrong", "people", WRONG),
        kind("disabled", "former", PASSWORD),
    ];
    app.tell(run, "sign-in", &kinds, run.either(300, 2_000), Some(GOAL))
        .await;
}

fn login(body: &Value) -> Request<Body> {
    Request::post("/auth/login")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// Each presented for the first time, so that nothing is remembered of it.
async fn keys(run: &Run, app: &App) {
    let times = run.either(100, 1_000);
    let (ada, format) = (
        Caller::owner("ada".parse().unwrap()),
        key_format(master_key()),
    );
    let mut texts = [Vec::new(), Vec::new(), Vec::new()];
    let ours = app.sakms.create_key(&ada, NewKey::default()).await.unwrap();
    let ours = format.parse(ours.text.expose()).unwrap().id;
    for number in 0..times as u64 + 10 {
        let mut secret = [7; 32];
        secret[..8].copy_from_slice(&mixed(number).to_be_bytes());
        let [unknown, wrong, revoked] = &mut texts;
        unknown.push(text(&format, secret_id(number), secret).expose().to_owned());
        wrong.push(text(&format, ours, secret).expose().to_owned());
        let made = app.sakms.create_key(&ada, NewKey::default()).await.unwrap();
        app.sakms.revoke_key(&ada, made.key.id).await.unwrap();
        revoked.push(made.text.expose().to_owned());
    }
    let [unknown, wrong, revoked] = texts;
    let kind = |name, texts: Vec<String>| Kind {
        name,
        requests: texts.iter().map(|text| presented(text)).collect(),
        next: Cell::default(),
        status: StatusCode::UNAUTHORIZED,
    };
    let kinds = [
        kind("unknown", unknown),
        kind("wrong", wrong),
        kind("revoked", revoked),
    ];
    // To whoever proves the secret it is told that the key is revoked: the time is no secret there.
    app.tell(run, "key", &kinds, times, None).await;
}

fn presented(text: &str) -> Box<dyn Fn() -> Request<Body>> {
    let credential = format!("Bearer {text}");
    Box::new(move || {
        Request::get(GUARDED)
            .header(header::AUTHORIZATION, &credential)
            .body(Body::empty())
            .unwrap()
    })
}
