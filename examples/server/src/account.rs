//! Accounts on the command line: who may do what is everybody's. There is no admin before one is made here.

use sakms_core::account::AccountQuery;
use sakms_core::journal::Actor;

use crate::config::{AccountCommand, Settings};
use crate::error::Failure;
use crate::tokens::Issuer;
use crate::{app, database, keys};

pub(crate) async fn run(settings: &Settings, command: &AccountCommand) -> Result<(), Failure> {
    match command {
        AccountCommand::Grant { email, role } => set(settings, email, *role, true).await,
        AccountCommand::RevokeRole { email, role } => set(settings, email, *role, false).await,
        AccountCommand::List => list(settings).await,
    }
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
async fn set(
    settings: &Settings,
    email: &str,
    role: sakms_core::account::AccountRole,
    held: bool,
) -> Result<(), Failure> {
    let rules = app::Rules::of(settings)?;
    let database = database::existing(&settings.database).await?;
    let (master, issuer) = (keys::resolve(settings)?.master, Issuer::unused(settings)?);
    let sakms = app::sakms(settings, rules, database, master, issuer)?;
    let changed = sakms.set_account_role(email, role, held, Actor::SYSTEM);
    let id = changed.await.map_err(|error| match error {
        sakms_core::service::Error::NotFound => {
            Failure::plain("no account signs in with this address")
        }
        error => Failure::new("the account could not be changed", &error),
    })?;
    let verb = if held { "has" } else { "does not have" };
    println!("{id} {verb} the role {}", role.as_str());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
async fn list(settings: &Settings) -> Result<(), Failure> {
    let store = database::existing(&settings.database).await?.accounts();
    let mut query = AccountQuery::default();
    loop {
        let page = store.accounts(&query).await;
        let page = page.map_err(|error| Failure::new("the accounts could not be read", &error))?;
        for account in &page.items {
            let roles: Vec<_> = account.roles.iter().map(|role| role.as_str()).collect();
            let (id, made, roles) = (account.id, account.created_at, roles.join(","));
            println!("{id}\t{}\t{made}\t{roles}", account.email.escape_debug());
        }
        query.before = page.items.last().map(|account| account.id);
        if !page.more {
            return Ok(());
        }
    }
}
