//! Revoking keys that nobody uses: every hour while the server runs, or once by a command.

use std::time::Duration;

use sakms_core::service::Sakms;

use crate::config::Settings;
use crate::error::Failure;
use crate::tokens::Issuer;
use crate::{app, database, keys};

const HOUR: Duration = Duration::from_hours(1);

fn days(number: u32) -> Duration {
    Duration::from_hours(24 * u64::from(number))
}

/// Does it now and every hour. Several servers that do so at once do no harm, so none of them has to be chosen.
pub(crate) async fn hourly(sakms: Sakms, unused_for: u32) {
    loop {
        loop {
            match sakms.reap_unused(days(unused_for), false).await {
                Ok(revoked) => {
                    if !revoked.keys.is_empty() {
                        let keys = revoked.keys.len();
                        tracing::info!(keys, "keys that nobody used were revoked");
                    }
                    if !revoked.more {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "unused keys could not be revoked; it is tried again in an hour");
                    break;
                }
            }
        }
        tokio::time::sleep(HOUR).await;
    }
}

/// Does it once and says which keys it was, or would be.
#[expect(clippy::print_stdout, reason = "what the command was asked for")]
pub(crate) async fn once(
    settings: &Settings,
    unused_for: u32,
    dry_run: bool,
) -> Result<(), Failure> {
    let rules = app::Rules::of(settings)?;
    let keys = keys::resolve(settings)?;
    let database = database::open(&settings.database).await?;
    let issuer = Issuer::unused(settings)?;
    let sakms = app::sakms(settings, rules, database, keys.master, issuer)?;
    let mut count = 0;
    loop {
        let revoked = sakms.reap_unused(days(unused_for), dry_run).await;
        let revoked = revoked.map_err(|error| Failure::new("unused keys", &error))?;
        for id in &revoked.keys {
            println!("{id}");
        }
        count += revoked.keys.len();
        if revoked.more && !dry_run {
            continue;
        }
        let (done, more) = (
            if dry_run { "would be" } else { "were" },
            if revoked.more { " and more" } else { "" },
        );
        println!("{count} keys{more} {done} revoked");
        return Ok(());
    }
}
