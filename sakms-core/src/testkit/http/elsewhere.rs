//! A service elsewhere, that checks tokens by itself and reads what was revoked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::ask::asker;
use super::client::{Client, Request};
use super::exchange::token;
use super::revocations::read as read_feed;
use super::rotation::{rotated, settle};
use super::stage::{AUDIENCE, ELSEWHERE, PASSWORD};
use super::world::Session;
use super::{Key, Stage, User, World};
use crate::entropy::OsEntropy;
use crate::journal::Actor;
use crate::secret::BearerToken;
use crate::store::StoreErrorKind;
use crate::testkit::faults::Fault;
use crate::token::{
    Fetched, Keyring, OfflineSource, OfflineVerifier, SigningKey, TokenDenial, TokenError,
};

/// What a check of a good token comes to.
const GOOD: Result<(), TokenDenial> = Ok(());
/// And one of a token that was good before.
const REVOKED: Result<(), TokenDenial> = Err(TokenDenial::Revoked);

fn signing() -> SigningKey {
    SigningKey::generate_ed25519(&OsEntropy).unwrap()
}

/// What the service elsewhere asks with: a client of the suite's.
#[derive(Debug)]
struct Source {
    client: Client,
    key: String,
}

#[async_trait]
impl OfflineSource for Source {
    async fn get(&self, target: &str) -> Result<Fetched, TokenError> {
        let answer = self.client.get(target).bearer(&self.key).send().await;
        Ok(Fetched::new(answer.status, answer.body))
    }
}

/// A service elsewhere, that has read what there is.
async fn service(world: &World) -> OfflineVerifier {
    service_for(world, ELSEWHERE).await
}

/// The same for tokens that are meant for this audience.
async fn service_for(world: &World, audience: &str) -> OfflineVerifier {
    let source = Source {
        client: Client::new(world.server.address),
        key: asker(world).await.text,
    };
    let verifier = OfflineVerifier::builder("sakms", audience.parse().unwrap())
        .source(source)
        .clock(Arc::clone(&world.clock) as _)
        .build()
        .unwrap();
    assert!(verdict(&verifier, "a.b.c").is_err(), "nothing was read yet");
    verifier.read().await.unwrap();
    verifier
}

fn verdict(verifier: &OfflineVerifier, token: &str) -> Result<Result<(), TokenDenial>, TokenError> {
    let verdict = verifier.verify(&BearerToken::new(token.to_owned()))?;
    Ok(verdict.into_result().map(drop))
}

/// A service elsewhere takes a token until it reads that its key, or its owner, was put an end to.
pub async fn a_service_elsewhere_hears_of_revocations(stage: &Stage) {
    let world = stage.world_signing(Keyring::new(signing())).await;
    let verifier = service(&world).await;
    let user = world.user().await;
    let (key, other) = (world.key(&user).await, world.key(&user).await);
    let (first, second) = (
        token(&world, &key.text).await,
        token(&world, &other.text).await,
    );
    assert_eq!(verdict(&verifier, &first).unwrap(), Ok(()));
    assert_eq!(verdict(&verifier, &second).unwrap(), Ok(()));
    for foreign in [&user.token, &key.text, "a.b.c"] {
        assert!(verdict(&verifier, foreign).unwrap().is_err());
    }

    world.revoke(&user, &key).await.expect(200);
    assert_eq!(
        verdict(&verifier, &first).unwrap(),
        Ok(()),
        "it asks nobody"
    );
    verifier.read().await.unwrap();
    assert_eq!(
        verdict(&verifier, &first).unwrap(),
        Err(TokenDenial::Revoked)
    );
    assert_eq!(verdict(&verifier, &second).unwrap(), Ok(()));

    // Off and on again: what was issued before stays refused, what is issued then is good.
    for what in ["disable", "enable"] {
        let target = format!("/keys/{}/{what}", other.id);
        let switch = world.client.post(&target).bearer(&user.token);
        switch.send().await.expect(200);
        verifier.read().await.unwrap();
        assert_eq!(
            verdict(&verifier, &second).unwrap(),
            Err(TokenDenial::Revoked),
            "{what}"
        );
    }
    world.clock.advance(Duration::from_secs(12));
    verifier.read().await.unwrap();
    let third = token(&world, &other.text).await;
    assert_eq!(verdict(&verifier, &third).unwrap(), Ok(()));
    assert_eq!(
        verdict(&verifier, &second).unwrap(),
        Err(TokenDenial::Revoked)
    );

    let owner = user.owner();
    let disabled = world.sakms.disable_owner(&owner, Actor::SYSTEM);
    disabled.await.unwrap();
    verifier.read().await.unwrap();
    assert_eq!(
        verdict(&verifier, &third).unwrap(),
        Err(TokenDenial::Revoked)
    );
    // Whoever begins now learns the same.
    let late = service(&world).await;
    for token in [&first, &second, &third] {
        assert_eq!(verdict(&late, token).unwrap(), Err(TokenDenial::Revoked));
    }
}

/// When nothing can be read, tokens are good up to the bound, and past it nobody can say. What is bad stays so.
pub async fn a_service_elsewhere_does_not_guess(stage: &Stage) {
    let world = stage.world_signing(Keyring::new(signing())).await;
    let verifier = service(&world).await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let (good, revoked) = (token(&world, &key.text).await, world.key(&user).await);
    let bad = token(&world, &revoked.text).await;
    world.revoke(&user, &revoked).await.expect(200);
    verifier.read().await.unwrap();
    world
        .faults
        .inject(Fault::Before(StoreErrorKind::Unavailable));
    world.clock.advance(Duration::from_secs(10));
    assert!(verifier.read().await.is_err());
    assert_eq!(verdict(&verifier, &good).unwrap(), Ok(()));
    world.clock.advance(Duration::from_micros(1));
    assert!(verdict(&verifier, &good).is_err());
    assert_eq!(verdict(&verifier, &bad).unwrap(), Err(TokenDenial::Revoked));
    assert_eq!(
        verdict(&verifier, "a.b.c").unwrap(),
        Err(TokenDenial::Malformed)
    );
    world.faults.heal();
    verifier.read().await.unwrap();
    assert_eq!(verdict(&verifier, &good).unwrap(), Ok(()));
    // Keys grow old as well, a good deal later.
    world.clock.advance(Duration::from_hours(2));
    assert!(verdict(&verifier, "a.b.c").is_err());
}

/// Somebody with two sessions, and somebody else with one; what the second of the first does or suffers is what is tried.
struct People {
    user: User,
    kept: Session,
    ended: Session,
    stranger: Session,
}

impl People {
    async fn of(world: &World) -> Self {
        let (user, eve) = (world.user().await, world.user().await);
        Self {
            kept: world.session(&user).await,
            ended: world.session(&user).await,
            stranger: world.session(&eve).await,
            user,
        }
    }
}

/// A way for a session to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    SignedOut,
    TakenAway,
    SignedOutEverywhere,
    PasswordChanged,
    OwnerDisabled,
    Replayed,
}

impl End {
    const ALL: [Self; 6] = [
        Self::SignedOut,
        Self::TakenAway,
        Self::SignedOutEverywhere,
        Self::PasswordChanged,
        Self::OwnerDisabled,
        Self::Replayed,
    ];

    /// What comes before it, that ends nothing.
    async fn is_led_up_to(self, world: &World, people: &People) {
        if self == Self::Replayed {
            refresh(world, &people.ended).send().await.expect(200);
            world.clock.advance(Duration::from_secs(11));
        }
    }

    async fn happens(self, world: &World, people: &People) {
        let (kept, ended) = (&people.kept, &people.ended);
        let request = match self {
            Self::SignedOut => world.client.post("/auth/logout").bearer(&ended.token),
            Self::TakenAway => {
                let target = format!("/auth/sessions/{}", ended.id);
                world.client.request("DELETE", &target).bearer(&kept.token)
            }
            Self::SignedOutEverywhere => world.client.post("/auth/logout-all").bearer(&kept.token),
            Self::PasswordChanged => {
                let body =
                    json!({"old_password": PASSWORD, "new_password": "pewter violin harbour moss"});
                world
                    .client
                    .post("/auth/password")
                    .json(&body)
                    .bearer(&kept.token)
            }
            Self::OwnerDisabled => {
                let target = format!("/accounts/{}/disable", people.user.id);
                let admin = world.admin().await;
                world.client.post(&target).bearer(&admin.token)
            }
            Self::Replayed => {
                let replay = refresh(world, ended).send().await;
                replay.expect(400).problem("invalid_grant");
                return;
            }
        };
        request.send().await.expect(200);
    }

    /// Whether the other session of the same person goes on.
    const fn spares_the_other(self) -> bool {
        !matches!(self, Self::SignedOutEverywhere | Self::OwnerDisabled)
    }

    /// What the feed says it was.
    const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::SignedOut | Self::TakenAway | Self::Replayed => &["session"],
            Self::SignedOutEverywhere => &["sessions"],
            // The password ends all; that one goes on is said in a second row.
            Self::PasswordChanged => &["sessions", "sessions"],
            Self::OwnerDisabled => &["owner"],
        }
    }
}

fn refresh(world: &World, session: &Session) -> Request {
    let body = json!({"refresh_token": session.refresh_token});
    world.client.post("/auth/refresh").json(&body)
}

/// However a session ends, its access token is refused elsewhere with the next reading, and nobody else's is.
pub async fn a_service_elsewhere_hears_of_sessions_that_end(stage: &Stage) {
    let world = stage
        .world_signing_with_sessions(Keyring::new(signing()))
        .await;
    let verifier = service_for(&world, AUDIENCE).await;
    let reader = asker(&world).await;
    for end in End::ALL {
        let people = People::of(&world).await;
        let tokens = [&people.kept, &people.ended, &people.stranger].map(|session| &session.token);
        let all = |expected: [Result<(), TokenDenial>; 3], when: &str| {
            let found = tokens.map(|token| verdict(&verifier, token).unwrap());
            assert_eq!(found, expected, "{end:?}, {when}");
        };
        end.is_led_up_to(&world, &people).await;
        verifier.read().await.unwrap();
        all([GOOD, GOOD, GOOD], "before");
        let position = position(&world, &reader).await;
        end.happens(&world, &people).await;
        all([GOOD, GOOD, GOOD], "not read yet");
        verifier.read().await.unwrap();
        let other = if end.spares_the_other() {
            GOOD
        } else {
            REVOKED
        };
        all([other, REVOKED, GOOD], "read");

        let page = read_feed(&world, &reader, &format!("?after={position}")).await;
        let page = page.expect(200);
        let whole = page.whole();
        assert!(!whole.contains(&people.user.id) && !whole.contains(&people.ended.id));
        let kinds: Vec<_> = page.json()["revocations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["kind"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(kinds, end.kinds(), "{end:?}");
        // Whoever begins now learns the same.
        let late = service_for(&world, AUDIENCE).await;
        assert_eq!(verdict(&late, &people.ended.token).unwrap(), REVOKED);
        assert_eq!(verdict(&late, &people.stranger.token).unwrap(), GOOD);

        // Who may sign in again gets a token that is good.
        if end != End::OwnerDisabled {
            world.clock.advance(Duration::from_secs(1));
            let password = match end {
                End::PasswordChanged => "pewter violin harbour moss",
                _ => PASSWORD,
            };
            let again = world.token(&people.user.email, password).await;
            assert_eq!(verdict(&verifier, &again).unwrap(), GOOD, "{end:?}");
        }
    }
}

/// A key whose secret was replaced: its tokens are refused elsewhere once the former secret is, and not while that still works.
pub async fn a_service_elsewhere_hears_of_rotations(stage: &Stage) {
    let world = stage.world_signing(Keyring::new(signing())).await;
    let verifier = service(&world).await;
    let user = world.user().await;
    let (key, other) = (world.key(&user).await, world.key(&user).await);
    let others = token(&world, &other.text).await;
    let mut tokens = vec![token(&world, &key.text).await];
    let key = rotated(&world, &user, &key, 3_600).await;
    verifier.read().await.unwrap();
    assert_eq!(verdict(&verifier, &tokens[0]).unwrap(), GOOD, "both work");
    tokens.push(token(&world, &key.text).await);
    assert_eq!(verdict(&verifier, &tokens[1]).unwrap(), GOOD);

    // Which of the two secrets a token is of, it does not say.
    let end = async || settle(&world, &user, &key, "finish").await.expect(200);
    let replace = async || rotated(&world, &user, &key, 0).await;
    let mut text = key.text.clone();
    for at_once in [false, true] {
        if at_once {
            text = replace().await.text;
        } else {
            end().await;
        }
        verifier.read().await.unwrap();
        for token in &tokens {
            assert_eq!(verdict(&verifier, token).unwrap(), REVOKED);
        }
        world.clock.advance(Duration::from_secs(12));
        verifier.read().await.unwrap();
        let new = token(&world, &text).await;
        assert_eq!(verdict(&verifier, &new).unwrap(), GOOD);
        tokens.push(new);
    }
    assert_eq!(verdict(&verifier, &others).unwrap(), GOOD);
}

/// Where the feed has come to.
async fn position(world: &World, reader: &Key) -> String {
    let page = read_feed(world, reader, "").await.expect(200);
    page.text_of("position")
}
