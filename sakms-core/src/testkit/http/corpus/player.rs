//! Plays a scenario against a server.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::action::{Action, Maker, Place, Setting};
use super::replay::{Played, Replay, written};
use super::scenario::{Scenario, Sent, Step};
use super::text::Names;
use super::wire::{Part, exchange};
use crate::entropy;
use crate::http::{Api, QueryToken};
use crate::id::SecretId;
use crate::journal::Actor;
use crate::secret::KeySecret;
use crate::testkit::entropy::SeededEntropy;
use crate::testkit::http::stage::{Offers, PASSWORD, TOKEN_SECRET, key_format, token_secret};
use crate::testkit::http::{Answer, Stage, World};
use crate::token::{Keyring, SigningKey};

impl Scenario {
    /// Plays it against a new service on this stage.
    ///
    /// # Panics
    /// When a step cannot be played: it names what is not there, or its connection does not end.
    pub async fn replay(&self, stage: &Stage) -> Replay {
        let entropy = Arc::new(SeededEntropy::new(&self.name));
        let keyring = self.keyring();
        let kid = keyring.as_ref().and_then(|ring| ring.kids().next());
        let kid = kid.unwrap_or_default().to_owned();
        let offers = self.settings.iter().find_map(|setting| match setting {
            Setting::WithSessions => Some(Offers::Sessions),
            Setting::ConfirmsAddresses => Some(Offers::Confirmation),
            _ => None,
        });
        let offers = offers.unwrap_or(Offers::Tokens);
        let settings = |api| self.settings.iter().fold(api, apply);
        let world = stage
            .world_drawing(Arc::clone(&entropy) as _, keyring, offers, settings)
            .await;
        let mut names = Names::default();
        names.set("version", env!("CARGO_PKG_VERSION"));
        names.set("password", PASSWORD);
        names.set("kid", kid);
        let mut player = Player {
            world,
            names,
            entropy,
        };
        let mut steps = Vec::new();
        for step in &self.steps {
            player
                .entropy
                .begin(&format!("{}: {}", self.name, step.title));
            match player.play(self, step).await {
                Ok(step) => steps.push(step),
                Err(reason) => panic!("{}: {}: {reason}", self.name, step.title),
            }
        }
        let scenario = self.clone();
        Replay { scenario, steps }
    }

    /// What its service signs tokens with, when it has accounts.
    fn keyring(&self) -> Option<Keyring> {
        let mut ring = Some(Keyring::hs256(token_secret()));
        for setting in &self.settings {
            match setting {
                Setting::WithoutAccounts => ring = None,
                Setting::SignsWithEd25519 => ring = Some(ed25519()),
                _ => {}
            }
        }
        ring
    }
}

/// The key of RFC 8037, appendix A.1, which everybody knows: it protects nothing.
fn ed25519() -> Keyring {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    Keyring::new(SigningKey::from_jwk(jwk).unwrap())
}

fn apply(api: Api, setting: &Setting) -> Api {
    match setting {
        Setting::WithoutAccounts
        | Setting::SignsWithEd25519
        | Setting::WithSessions
        | Setting::ConfirmsAddresses => api,
        Setting::TokensInHeadersAlone => api.query_token(QueryToken::Deny),
        Setting::BodyLimit(bytes) => api.body_limit(*bytes),
        Setting::BodyTime(time) => api.body_time(*time),
        Setting::Groups(groups) => api.groups(groups.iter().copied()),
    }
}

struct Player {
    world: World,
    names: Names,
    entropy: Arc<SeededEntropy>,
}

impl Player {
    async fn play(&mut self, scenario: &Scenario, step: &Step) -> Result<Played, String> {
        // Ids of the same millisecond have no order.
        self.world.clock.advance(Duration::from_millis(1));
        for action in &step.before {
            self.act(action).await?;
        }
        let parts = self.parts(&step.sent)?;
        let methods: Vec<_> = step.methods().map(str::to_owned).collect();
        let came = exchange(self.world.server.address, parts, &methods).await?;
        for answer in &came.answers {
            self.world.client.inspect(answer);
        }
        let lines: Vec<_> = scenario.text.lines().collect();
        let wanted = lines[step.answers.clone()].iter();
        let wanted = wanted
            .map(|line| self.names.filled(line))
            .collect::<Result<_, _>>()?;
        for taken in &step.taken {
            let answer = came
                .answers
                .last()
                .ok_or("there is no answer to take from")?;
            let value = found(answer, &taken.from)?;
            if matches!(&taken.from, Place::Json(pointer) if pointer == "/api_key") {
                self.world.client.never_show(&value);
            }
            self.names.set(&taken.name, value);
        }
        let came = written(&came);
        Ok(Played { wanted, came })
    }

    async fn act(&mut self, action: &Action) -> Result<(), String> {
        let world = &self.world;
        match action {
            Action::Let(maker, name, text) => {
                let bytes = self.names.bytes(text)?;
                let value = match maker {
                    Maker::Plain => bytes,
                    Maker::Base64 => URL_SAFE_NO_PAD.encode(bytes).into(),
                    Maker::Signature => {
                        let mac = Hmac::<Sha256>::new_from_slice(&TOKEN_SECRET).unwrap();
                        let mac = mac.chain_update(bytes).finalize().into_bytes();
                        URL_SAFE_NO_PAD.encode(mac).into()
                    }
                };
                self.names.set(name, value);
            }
            Action::Mint {
                name,
                environment,
                like,
            } => {
                let id = match like {
                    Some(key) => {
                        key_format()
                            .parse(&self.names.text(key)?)
                            .map_err(|_| "no key")?
                            .id
                    }
                    None => SecretId::generate(&*world.clock, &*self.entropy).unwrap(),
                };
                let secret = KeySecret::new(entropy::draw(&*self.entropy).unwrap());
                let environment = environment.parse().map_err(|_| "no environment")?;
                let minted = key_format().mint(&environment, id, &secret);
                let text = minted.map_err(|_| "no such environment")?.text;
                self.names.set(name, text.expose());
            }
            Action::User(name) | Action::Admin(name) => {
                let email = format!("{name}@example.com");
                let registered = world.register(&email, PASSWORD).await.expect(201);
                let token = world.token(&email, PASSWORD).await;
                if matches!(action, Action::Admin(_)) {
                    world.make_admin(&registered.text_of("user_id")).await;
                }
                self.names
                    .set(&format!("{name}.id"), registered.text_of("user_id"));
                self.names.set(&format!("{name}.token"), token);
            }
            Action::Key(name, user, json) => {
                let token = self.names.text(&format!("{user}.token"))?;
                let create = world.client.post("/keys").bearer(&token);
                let create = match json.as_str() {
                    "" => create,
                    json => create.text("application/json", self.names.bytes(json)?),
                };
                let key = world.made(create).await;
                self.names.set(&format!("{name}.id"), key.id);
                self.names.set(&format!("{name}.key"), key.text);
            }
            Action::Advance(time) => world.clock.advance(*time),
            Action::Disable(user) | Action::Enable(user) => {
                let owner = self.names.text(&format!("{user}.id"))?;
                let owner = owner.parse().map_err(|_| "no owner")?;
                let done = match action {
                    Action::Disable(_) => world.sakms.disable_owner(&owner, Actor::SYSTEM).await,
                    _ => world.sakms.enable_owner(&owner, Actor::SYSTEM).await,
                };
                done.map_err(|error| error.to_string())?;
            }
            Action::Fail(None, fault) => world.faults.inject(*fault),
            Action::Fail(Some(method), fault) => world.faults.inject_into(*method, *fault),
            Action::Heal => world.faults.heal(),
            Action::Mail(name, email) => {
                world
                    .sakms
                    .flush()
                    .await
                    .map_err(|error| error.to_string())?;
                let sent = world.mail.sent_to(email).into_iter().rev();
                let code = sent.into_iter().find_map(|mail| mail.code);
                let code = code.ok_or("no code was sent there")?;
                world.client.never_show(&code);
                self.names.set(name, code);
            }
            Action::Flush => world
                .sakms
                .flush()
                .await
                .map_err(|error| error.to_string())?,
        }
        Ok(())
    }

    /// What is sent, with the length of each request's body where `{{length}}` stands.
    fn parts(&mut self, sent: &[Sent]) -> Result<Vec<Part>, String> {
        let mut parts: Vec<Part> = Vec::new();
        for (place, piece) in sent.iter().enumerate() {
            if piece.method().is_some() {
                let length = self.body_length(&sent[place + 1..]);
                match length {
                    Ok(length) => self.names.set("length", length.to_string()),
                    Err(_) => self.names.forget("length"),
                }
            }
            let bytes = match piece {
                Sent::AwaitAnswer => {
                    parts.push(Part::AwaitAnswer);
                    continue;
                }
                piece => self.piece(piece)?,
            };
            match parts.last_mut() {
                Some(Part::Bytes(before)) => before.extend(bytes),
                _ => parts.push(Part::Bytes(bytes)),
            }
        }
        Ok(parts)
    }

    fn piece(&self, piece: &Sent) -> Result<Vec<u8>, String> {
        match piece {
            Sent::Line(text) => Ok([self.names.bytes(text)?, b"\r\n".to_vec()].concat()),
            Sent::Raw(text) => self.names.bytes(text),
            Sent::AwaitAnswer => Ok(Vec::new()),
        }
    }

    /// How many bytes follow the empty line, up to the next request.
    fn body_length(&self, behind: &[Sent]) -> Result<usize, String> {
        let message = behind.iter().take_while(|piece| piece.method().is_none());
        let body =
            message.skip_while(|piece| !matches!(piece, Sent::Line(line) if line.is_empty()));
        body.skip(1).map(|piece| Ok(self.piece(piece)?.len())).sum()
    }
}

fn found(answer: &Answer, from: &Place) -> Result<String, String> {
    match from {
        Place::Json(pointer) => {
            let json: Value =
                serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
            let value = json.pointer(pointer).and_then(Value::as_str);
            value
                .map(str::to_owned)
                .ok_or_else(|| format!("no text at {pointer} in:\n{}", answer.whole()))
        }
        Place::Cursor => {
            let link = answer
                .header("link")
                .and_then(|link| link.split_once("cursor="));
            let cursor = link.and_then(|(_, rest)| rest.split_once('>'));
            cursor
                .map(|(cursor, _)| cursor.to_owned())
                .ok_or_else(|| format!("no cursor in:\n{}", answer.whole()))
        }
    }
}
