//! Reading the journal.

use super::listing::{Listing, with_next};
use crate::clock::Timestamp;
use crate::http::call::{Call, Reply};
use crate::http::dto::AuditRow;
use crate::http::problem::Problem;
use crate::service::AuditRequest;

const FILTERS: [&str; 6] = ["actor", "action", "subject", "from", "until", "owner"];

pub(in crate::http) async fn list(call: Call) -> Result<Reply, Problem> {
    let mut request = AuditRequest::default();
    let Listing { limit, cursor } = Listing::of(&call, &FILTERS)?;
    (request.limit, request.cursor) = (limit, cursor);
    let text = |name| Ok::<_, Problem>(call.parameter(name)?.map(std::borrow::Cow::into_owned));
    request.actor = text("actor")?;
    request.action = text("action")?;
    request.subject = text("subject")?;
    request.from = call.parsed("from", Timestamp::parse)?;
    request.until = call.parsed("until", Timestamp::parse)?;
    request.owner = call.parsed("owner", str::parse)?;
    let page = call.sakms.audit(call.caller()?, request).await?;
    let reply = Reply::ok(&page.rows.iter().map(AuditRow::from).collect::<Vec<_>>());
    Ok(with_next(&call, &FILTERS, reply, page.next))
}
