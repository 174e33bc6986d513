//! Lists that come a page at a time: what is asked of any of them, and the link to the next page.

use std::fmt::Write as _;

use http::header::{HeaderValue, LINK};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::call::{Call, Reply};
use crate::http::problem::Problem;
use crate::service::Cursor;

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) limit: Option<u32>,
    pub(super) cursor: Option<Cursor>,
}

impl Listing {
    /// Reads the query of a list that has these filters, and refuses one that has others: a filter that is misspelt would
    /// give a list of everything.
    pub(super) fn of(call: &Call, filters: &[&str]) -> Result<Self, Problem> {
        call.refuse_parameters_but(filters.iter().chain(&["limit", "cursor"]))?;
        let number = |text: &str| {
            text.parse()
                .map_err(|_| "must be a whole number between 1 and 100")
        };
        Ok(Self {
            limit: call.parsed("limit", number)?,
            cursor: call
                .parameter("cursor")?
                .map(|text| Cursor::new(text.into_owned())),
        })
    }
}

/// The reply with a link to the next page, when there is one: the same filters and limit, and the cursor.
///
/// It is a reference that keeps the path (RFC 3986, section 5): right under any prefix and behind any proxy.
pub(super) fn with_next(
    call: &Call,
    filters: &[&'static str],
    reply: Reply,
    next: Option<Cursor>,
) -> Reply {
    let Some(next) = next else {
        return reply;
    };
    let mut query = String::new();
    for name in filters.iter().chain(&["limit"]) {
        if let Ok(Some(value)) = call.parameter(name) {
            let value = utf8_percent_encode(&value, NON_ALPHANUMERIC);
            let _ = write!(query, "{name}={value}&");
        }
    }
    let link = format!(r#"<?{query}cursor={}>; rel="next""#, next.as_str());
    match HeaderValue::try_from(link) {
        Ok(link) => reply.with(LINK, link),
        Err(_) => reply,
    }
}
