//! The keys that sign tokens, on the command line.

use sakms_core::clock::{Clock as _, SystemClock, Timestamp};
use sakms_core::store::StateKind;
use sakms_core::token::{StoredKey, TokenAlgorithm};

use crate::config::{KeyringCommand, Settings};
use crate::database::{self, Database};
use crate::error::Failure;
use crate::keys::{self, FormerSecret, TokenKeys};
use crate::{app, tokens};

pub(crate) async fn run(settings: &Settings, command: KeyringCommand) -> Result<(), Failure> {
    app::Rules::of(settings)?;
    let database = database::existing(&settings.database).await?;
    let keys = keys::resolve(settings)?;
    let TokenKeys::Stored { former } = keys.tokens else {
        return Err(Failure::plain(
            "the keyring is not used: tokens are signed with the JWT secret that was given",
        ));
    };
    match command {
        KeyringCommand::List => {
            // Looking makes no key.
            if has_keys(&database).await? {
                let issuer = tokens::stored(settings, &database, &keys.master).await?;
                list(&issuer.keys());
            }
            Ok(())
        }
        KeyringCommand::Rotate { algorithm, now } => {
            let issuer = tokens::stored(settings, &database, &keys.master).await?;
            let algorithm = TokenAlgorithm::from(algorithm);
            let made = if now {
                issuer.rotate_now(algorithm).await
            } else {
                issuer.rotate(algorithm).await
            };
            let kid = made.map_err(|error| Failure::new("the key could not be made", &error))?;
            let key = issuer.keys().into_iter().find(|key| key.kid == kid);
            say(&kid, algorithm, key.filter(|_| !now), former);
            Ok(())
        }
    }
}

async fn has_keys(database: &Database) -> Result<bool, Failure> {
    let store = database.clone().states();
    let found = store.states(StateKind::SigningKey, None, 1).await;
    let found = found.map_err(|error| Failure::new("the keys that sign tokens", &error))?;
    Ok(!found.is_empty())
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
fn list(keys: &[StoredKey]) {
    let now = SystemClock.now();
    for key in keys {
        let state = match key {
            key if key.signs => "signs",
            key if key.ends_at.is_some_and(|end| end <= now) => "ended",
            key if key.signs_from > now => "next",
            _ => "verifies",
        };
        // The first one has signed from the start.
        let from = Some(key.signs_from).filter(|from| *from > Timestamp::EPOCH);
        let (from, end) = (told(from), told(key.ends_at));
        println!("{}\t{}\t{state}\t{from}\t{end}", key.kid, key.algorithm);
    }
}

fn told(moment: Option<Timestamp>) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| moment.to_string())
}

/// Says what was done; with no moment from which on it signs, it was at once.
#[expect(clippy::print_stdout, reason = "what the command was asked for")]
fn say(
    kid: &str,
    algorithm: TokenAlgorithm,
    later: Option<StoredKey>,
    former: Option<FormerSecret>,
) {
    match later {
        Some(key) => println!("{kid} ({algorithm}) signs from {}", key.signs_from),
        None => {
            println!("{kid} ({algorithm}) signs now; every access token of an earlier key is void");
        }
    }
    if let Some(FormerSecret { path, .. }) = former {
        let path = path.display();
        println!(
            "tokens that were signed with {path} stay good until it is removed and the server started again"
        );
    }
}
