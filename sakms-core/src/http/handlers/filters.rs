//! The part of a query that says which keys of a list are meant.

use std::fmt::Display;
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clock::Timestamp;
use crate::http::call::Call;
use crate::http::dto::whose;
use crate::http::problem::Problem;
use crate::service::{FieldError, KeySelection};

/// What stands for itself in a query (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Which keys are meant.
pub(super) struct Filters {
    pub(super) selection: KeySelection,
    /// The same as text, for the link to the next page: nothing else of the query is repeated, least of all a token.
    pub(super) repeated: String,
}

impl Filters {
    pub(super) fn of(call: &Call) -> Result<Self, Problem> {
        let mut reader = Reader {
            call,
            repeated: String::new(),
        };
        let state = reader.read("state", str::parse)?;
        let environment = reader.read("environment", str::parse)?;
        let tag = reader.read("tag", str::parse)?;
        let unused_for = reader.read("unused_for", seconds)?;
        let expires_before = reader.read("expires_before", Timestamp::parse)?;
        let owner = reader.read("owner", FromStr::from_str)?;
        let all_owners = reader.read("all_owners", |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("must be true or false"),
        })?;
        let selection = KeySelection {
            whose: whose(owner, all_owners.unwrap_or(false))?,
            state,
            environment,
            tag,
            unused_for,
            expires_before,
        };
        Ok(Self {
            selection,
            repeated: reader.repeated,
        })
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let number = text
        .parse()
        .map_err(|_| "must be a whole number of seconds")?;
    Ok(Duration::from_secs(number))
}

struct Reader<'a> {
    call: &'a Call,
    repeated: String,
}

impl Reader<'_> {
    fn read<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.call.parameter(name)? else {
            return Ok(None);
        };
        let invalid = |error| Problem::invalid(vec![FieldError::new(name, error)]);
        let value = parse(&text).map_err(invalid)?;
        // Writing to a text cannot fail.
        let _ = write!(
            self.repeated,
            "{name}={}&",
            utf8_percent_encode(&text, RESERVED)
        );
        Ok(Some(value))
    }
}
