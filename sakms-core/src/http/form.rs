//! A body that is a form (`application/x-www-form-urlencoded`), as OAuth has them (RFC 6749, section 3.2 and appendix B).

use http::header::{CONTENT_TYPE, HeaderMap};
use zeroize::Zeroizing;

use super::problem::Problem;

/// The fields of a form. Those that nobody asks for are passed over.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// A [`Problem`]: 415 for another content type, 400 for what is no form or has a field twice.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        if !is_form(headers) {
            return Err(Problem::wrong_form_type());
        }
        let mut fields = Vec::new();
        for pair in body
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let name = decoded(parts.next().unwrap_or_default())?;
            let value = Zeroizing::new(decoded(parts.next().unwrap_or_default())?);
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(Problem::invalid_request(
                    "A parameter stands in the form twice.",
                ));
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// The value of a field. One without a value is as if it was left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

fn decoded(text: &[u8]) -> Result<String, Problem> {
    let spaced: Zeroizing<Vec<u8>> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect::<Vec<_>>()
        .into();
    let decoded = percent_encoding::percent_decode(&spaced).decode_utf8();
    let not_text = |_| Problem::invalid_request("The form is not UTF-8.");
    decoded.map(std::borrow::Cow::into_owned).map_err(not_text)
}

/// One content type, with or without parameters: its only one, the charset, is UTF-8 whatever is said.
fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = only.to_str().ok().and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| {
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(body: &str) -> Result<Form, (u16, &'static str)> {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
        let form = Form::read(&headers, body.as_bytes());
        form.map_err(|problem| (problem.status().as_u16(), problem.code()))
    }

    #[test]
    fn fields_are_decoded() {
        let form = read("token=a%2Eb+c%2B&&x=1&empty=&t%6Fk=2&no").unwrap_or_else(|_| panic!());
        assert_eq!(form.get("token"), Some("a.b c+"));
        assert_eq!(form.get("tok"), Some("2"));
        for absent in ["empty", "no", "other", ""] {
            assert_eq!(form.get(absent), None, "{absent}");
        }
        assert_eq!(
            read("")
                .ok()
                .and_then(|form| form.get("token").map(str::to_owned)),
            None
        );
    }

    #[test]
    fn a_field_that_stands_twice_is_refused() {
        for twice in [
            "token=a&token=b",
            "token=a&x=1&tok%65n=a",
            "a&a",
            "token=&token=",
        ] {
            assert_eq!(read(twice).err(), Some((400, "invalid_request")), "{twice}");
        }
        assert_eq!(read("token=%ff").err(), Some((400, "invalid_request")));
        assert_eq!(
            read("token=%zz")
                .ok()
                .and_then(|form| form.get("token").map(str::to_owned)),
            Some("%zz".to_owned())
        );
    }

    #[test]
    fn other_content_types_are_no_form() {
        for bad in ["application/json", "text/plain", "multipart/form-data", ""] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(bad))]);
            let problem = Form::read(&headers, b"token=a")
                .err()
                .map(|problem| problem.code());
            assert_eq!(problem, Some("unsupported_media_type"), "{bad}");
        }
        let charset = HeaderValue::from_static("Application/X-WWW-Form-Urlencoded; charset=utf-8");
        assert!(is_form(&HeaderMap::from_iter([(CONTENT_TYPE, charset)])));
    }
}
