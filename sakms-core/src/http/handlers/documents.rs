//! The OpenAPI document and the pages that show it. Every file is in the binary.

use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};

use crate::http::call::{Call, Reply};
use crate::http::files::File;
use crate::http::problem::Problem;

pub(in crate::http) async fn openapi(call: Call) -> Result<Reply, Problem> {
    let document = call.api.shown(call.slashed);
    Ok(Reply::text(StatusCode::OK, "application/json", document))
}

pub(in crate::http) async fn docs(call: Call) -> Result<Reply, Problem> {
    let html = include_str!("../../../assets/pages/docs.html");
    Ok(page(&call, html, DOCS_POLICY))
}

pub(in crate::http) async fn redoc(call: Call) -> Result<Reply, Problem> {
    let html = include_str!("../../../assets/pages/redoc.html");
    Ok(page(&call, html, REDOC_POLICY))
}

/// A file of the two pages.
pub(in crate::http) async fn file(call: Call) -> Result<Reply, Problem> {
    let name = call.id::<String>()?;
    let file = File::named(&name).ok_or_else(Problem::not_found)?;
    Ok(file.reply(&call.headers))
}

/// Nothing but what this server sends; no script and no style inside the page.
macro_rules! policy {
    ($more:literal) => {
        concat!(
            "default-src 'self'; img-src 'self' data:; object-src 'none'; ",
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            $more
        )
    };
}

const DOCS_POLICY: &str = policy!("");
/// ReDoc puts its styles into the page, and searches in a worker that it makes of a text.
const REDOC_POLICY: &str = policy!("; style-src 'self' 'unsafe-inline'; worker-src blob:");

/// A page whose files are found from wherever it stands: under any prefix, with and without a slash at its end.
fn page(call: &Call, html: &str, policy: &'static str) -> Reply {
    let files = if call.slashed { "../docs/" } else { "docs/" };
    let html = html.replace("{files}", files);
    Reply::text(StatusCode::OK, "text/html; charset=utf-8", html)
        .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))
        .with(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
}
