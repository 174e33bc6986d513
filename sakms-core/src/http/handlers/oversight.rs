//! How a key is used, why it would be refused, and who has an account.

use super::listing::{Listing, with_next};
use crate::http::call::{Call, Reply};
use crate::http::dto::{Account, ExplainKey, Explained, Usage};
use crate::http::problem::Problem;

pub(in crate::http) async fn explain(call: Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let body: ExplainKey = call.json_or_default()?;
    let explanation = call
        .sakms
        .explain_key(call.caller()?, id, &body.into())
        .await?;
    Ok(Reply::ok(&Explained::from(&explanation)))
}

pub(in crate::http) async fn usage(call: Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    call.refuse_parameters_but(&["from", "to"])?;
    let from = call.parsed("from", str::parse)?;
    let to = call.parsed("to", str::parse)?;
    let usage = call.sakms.key_usage(call.caller()?, id, from, to).await?;
    Ok(Reply::ok(&Usage::from(&usage)))
}

pub(in crate::http) async fn accounts(call: Call) -> Result<Reply, Problem> {
    let Listing { limit, cursor } = Listing::of(&call, &[])?;
    let list = call.sakms.accounts(call.caller()?, limit, cursor.as_ref());
    let list = list.await?;
    let reply = Reply::ok(&list.accounts.iter().map(Account::from).collect::<Vec<_>>());
    Ok(with_next(&call, &[], reply, list.next))
}

pub(in crate::http) async fn disable(call: Call) -> Result<Reply, Problem> {
    let account = call
        .sakms
        .disable_account(call.caller()?, call.id()?)
        .await?;
    Ok(Reply::ok(&Account::from(&account)))
}

pub(in crate::http) async fn enable(call: Call) -> Result<Reply, Problem> {
    let account = call
        .sakms
        .enable_account(call.caller()?, call.id()?)
        .await?;
    Ok(Reply::ok(&Account::from(&account)))
}
