//! Links with a code in them, made from what a host configures.

use std::fmt;
use std::str::FromStr;

use crate::secret::{MailedCode, MailedLink};

const PLACE: &str = "{code}";

/// A URL with `{code}` in one place: a page of the host's, which sends the code on to the service.
///
/// ```
/// # use sakms_core::mail::LinkTemplate;
/// assert!("https://acme.example/reset#{code}".parse::<LinkTemplate>().is_ok());
/// assert!("http://acme.example/reset#{code}".parse::<LinkTemplate>().is_err());
/// ```
///
/// Put the code behind a `#`: browsers send what stands there to no server, so that it is in nobody's log, and not in the
/// `Referer` of what the page loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTemplate {
    before: String,
    after: String,
}

impl LinkTemplate {
    /// The most bytes of a template.
    pub const MAX_BYTES: usize = 500;

    /// The link for this code, which is letters and digits and needs no escape.
    pub(crate) fn with(&self, code: &MailedCode) -> MailedLink {
        let Self { before, after } = self;
        let code = code.expose();
        let mut link = String::with_capacity(before.len() + code.len() + after.len());
        link.push_str(before);
        link.push_str(code);
        link.push_str(after);
        MailedLink::new(link)
    }
}

impl FromStr for LinkTemplate {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !b"<>\"`\\^|".contains(&byte);
        if text.len() > Self::MAX_BYTES || !text.bytes().all(allowed) {
            return Err(InvalidLink);
        }
        let (before, after) = text.split_once(PLACE).ok_or(InvalidLink)?;
        let is_one = !before.contains(['{', '}']) && !after.contains(['{', '}']);
        let host = before
            .strip_prefix("https://")
            .or_else(|| before.strip_prefix("http://").filter(is_this_machine));
        // The code must not name the host.
        let has_host = host
            .and_then(|rest| rest.split_once(['/', '?', '#']))
            .is_some_and(|(host, _)| !host.is_empty() && !host.contains('@'));
        if !is_one || !has_host {
            return Err(InvalidLink);
        }
        Ok(Self {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }
}

/// Whether what follows `http://` is on the machine of whoever opens it: for development.
fn is_this_machine(rest: &&str) -> bool {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// The text is no template of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidLink;

impl fmt::Display for InvalidLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a link for mail: expected https://host/path with {code} in one place behind the host (http:// for localhost \
             alone), at most 500 bytes of ASCII",
        )
    }
}

impl std::error::Error for InvalidLink {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_where_it_should() {
        for (template, link) in [
            (
                "https://a.example/reset#{code}",
                "https://a.example/reset#abc",
            ),
            (
                "https://a.example/?c={code}&x=1",
                "https://a.example/?c=abc&x=1",
            ),
            ("http://localhost:3000/{code}", "http://localhost:3000/abc"),
            ("http://[::1]:3000/{code}", "http://[::1]:3000/abc"),
        ] {
            let template: LinkTemplate = template.parse().unwrap();
            let made = template.with(&MailedCode::new("abc".to_owned()));
            assert_eq!(made.expose(), link);
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let long = format!("https://a.example/{}{{code}}", "x".repeat(500));
        for bad in [
            "",
            "{code}",
            "https://a.example/",
            "https://a.example/{code}{code}",
            "https://a.example/{code}/{id}",
            "https://{code}",
            "https://{code}.a.example/",
            "https://me@a.example/{code}",
            "https:///{code}",
            "http://a.example/{code}",
            "http://localhost.a.example/{code}",
            "http://localhost:80@a.example/{code}",
            "javascript:alert({code})",
            "https://a.example/\r\nBcc: eve@example.com\r\n{code}",
            "https://a.example/ {code}",
            "https://ä.example/{code}",
            &long,
        ] {
            assert_eq!(bad.parse::<LinkTemplate>(), Err(InvalidLink), "{bad}");
        }
    }
}
