//! Keys in a file, by hand: each command is a process of its own, and finds what the one before has written.

use std::env;
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use sakms_core::key::{KeyQuery, MasterKeys};
use sakms_core::secret::PresentedKey;
use sakms_core::service::{Caller, NewKey, Requirement, Sakms};
use sakms_example_custom_store::RedbStore;

const USAGE: &str = "Keys in a file of redb

  create OWNER NAME   makes a key; prints its id, and its text this one time
  check TEXT          says whose key it is, or why it is refused
  revoke OWNER ID     refuses it from now on, for good
  list OWNER          names the owner's keys, the newest first

KEYS_FILE is the file (keys.redb when not set), SAKMS_MASTER_KEY 32 random bytes: `openssl rand -hex 32`.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match run(&arguments).await {
        Ok(answer) => {
            let written = writeln!(std::io::stdout(), "{answer}");
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    match *arguments {
        [] | ["--help" | "-h" | "help"] => Ok(USAGE.to_owned()),
        ["create", owner, name] => {
            let caller = Caller::owner(owner.parse()?);
            let new = NewKey::named(name.parse()?);
            let made = sakms()?.create_key(&caller, new).await?;
            Ok(format!("{} {}", made.key.id, made.text.expose()))
        }
        ["check", text] => {
            let sakms = sakms()?;
            let presented = PresentedKey::new(text.to_owned());
            let verdict = sakms.verify(&presented, &Requirement::any_key()).await?;
            // The use that was counted, too.
            sakms.flush().await?;
            let key = verdict.into_result()?;
            Ok(format!("{}'s key {}", key.owner(), key.name().as_str()))
        }
        ["revoke", owner, id] => {
            let caller = Caller::owner(owner.parse()?);
            sakms()?.revoke_key(&caller, id.parse()?).await?;
            Ok("revoked".to_owned())
        }
        ["list", owner] => {
            let query = KeyQuery::of(owner.parse()?);
            let page = sakms()?.store().list(&query).await?;
            let line = |key: sakms_core::key::KeyRecord| {
                let state = if key.revoked_at.is_some() {
                    "revoked"
                } else {
                    "stands"
                };
                let used = key
                    .last_used_at
                    .map_or_else(|| "never".to_owned(), |at| at.to_string());
                format!(
                    "{} {}, {state}, last used {used}",
                    key.id,
                    key.name.as_str()
                )
            };
            Ok(page
                .items
                .into_iter()
                .map(line)
                .collect::<Vec<_>>()
                .join("\n"))
        }
        _ => Err(format!("not a command: {}\n\n{USAGE}", arguments.join(" ")).into()),
    }
}

/// SAKMS on the store: nothing but the first line knows which one it is.
fn sakms() -> Result<Sakms, Box<dyn Error>> {
    let store = RedbStore::open(env::var("KEYS_FILE").unwrap_or_else(|_| "keys.redb".to_owned()))?;
    let master_key = env::var("SAKMS_MASTER_KEY")
        .map_err(|_| "SAKMS_MASTER_KEY is not set: `openssl rand -hex 32` makes one")?;
    let master_keys: MasterKeys = master_key.parse()?;
    Ok(Sakms::builder(store, master_keys)
        .key_prefix("acme")?
        .build()?)
}
