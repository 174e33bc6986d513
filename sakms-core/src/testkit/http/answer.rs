//! What came back, and what is asked of it.

use std::collections::BTreeMap;

use serde_json::Value;

/// An answer to a request, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The line it stood in: version, status, reason.
    pub status_line: String,
    /// The headers in the order they came, their names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, taken out of its chunks.
    pub body: Vec<u8>,
    /// Whether the whole request could be sent before the connection was closed.
    pub request_was_sent: bool,
}

impl Answer {
    /// Reads the first answer in `bytes` and how many of them it takes; `None` when it is not whole.
    pub(super) fn parse(bytes: &[u8], to_head: bool, closed: bool) -> Option<(Self, usize)> {
        Self::read(bytes, to_head, closed).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, and what there is instead when it is none.
    pub(super) fn read(
        bytes: &[u8],
        to_head: bool,
        closed: bool,
    ) -> Result<Option<(Self, usize)>, String> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let mut lines = lines(&bytes[..end]);
        let status_line = String::from_utf8_lossy(lines.next().unwrap_or_default());
        let status = status_line
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5)?.parse().ok())
            .ok_or_else(|| format!("no status line: {status_line:?}"))?;
        let mut answer = Self {
            status,
            status_line: status_line.into_owned(),
            headers: lines.map(header).collect::<Result<_, _>>()?,
            body: Vec::new(),
            request_was_sent: true,
        };
        let rest = &bytes[end + 4..];
        let Some((body, taken)) = answer.body_in(rest, to_head, closed) else {
            return Ok(None);
        };
        answer.body = body;
        Ok(Some((answer, end + 4 + taken)))
    }

    /// The body at the start of `rest`, and how many bytes it takes there.
    fn body_in(&self, rest: &[u8], to_head: bool, closed: bool) -> Option<(Vec<u8>, usize)> {
        if to_head || self.status < 200 || self.status == 204 || self.status == 304 {
            return Some((Vec::new(), 0));
        }
        if self.header("transfer-encoding").is_some() {
            return out_of_chunks(rest);
        }
        match self.header("content-length") {
            Some(length) => {
                let length = length.parse().unwrap();
                Some((rest.get(..length)?.to_vec(), length))
            }
            None => closed.then(|| (rest.to_vec(), rest.len())),
        }
    }

    /// The value of a header that stands there once at most.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let first = values.next()?;
        assert!(
            values.next().is_none(),
            "{name} stands there twice:\n{}",
            self.whole()
        );
        Some(std::str::from_utf8(&first.1).unwrap())
    }

    /// The answer, if its status is this one.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "often the status is all that is asked for"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the status of:\n{}", self.whole());
        self
    }

    /// The JSON in the body, which must say that it is.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        self.json_as("application/json")
    }

    /// The value of a field of the JSON that must be text.
    #[must_use]
    #[track_caller]
    pub fn text_of(&self, field: &str) -> String {
        let json = self.json();
        let text = json[field].as_str();
        text.unwrap_or_else(|| panic!("{field} is no text:\n{}", self.whole()))
            .to_owned()
    }

    /// The keys in the body, which must be a list of them.
    #[must_use]
    #[track_caller]
    pub fn items(&self) -> Vec<Value> {
        match self.json() {
            Value::Array(items) => items,
            other => panic!("no list: {other}"),
        }
    }

    /// Holds the answer to the form every error has, and gives its JSON.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        reason = "most cases ask for no more than the form"
    )]
    pub fn problem(&self, code: &str) -> Value {
        let whole = self.whole();
        assert!(self.status >= 400, "an error that is none:\n{whole}");
        let problem = self.json_as("application/problem+json");
        assert_eq!(problem["code"], code, "the code of:\n{whole}");
        assert_eq!(problem["status"], self.status, "the status of:\n{whole}");
        for field in ["type", "title", "detail"] {
            let text = problem[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{field} is no text in:\n{whole}");
        }
        assert_eq!(self.header("cache-control"), Some("no-store"), "{whole}");
        assert_eq!(
            self.header("x-content-type-options"),
            Some("nosniff"),
            "{whole}"
        );
        let needed: &[&str] = match self.status {
            401 => &["www-authenticate"],
            429 | 503 => &["retry-after"],
            405 => &["allow"],
            _ => &[],
        };
        for name in needed {
            assert!(
                self.header(name).is_some(),
                "{name} is missing in:\n{whole}"
            );
        }
        if self.status == 503 || self.status == 429 {
            let seconds = self
                .header("retry-after")
                .and_then(|value| value.parse().ok());
            assert!(
                seconds.is_some_and(|seconds: u32| seconds > 0),
                "no seconds in:\n{whole}"
            );
        }
        problem
    }

    /// Holds the answer to "these fields are wrong", in this order.
    #[track_caller]
    pub fn invalid(&self, fields: &[&str]) {
        assert_eq!(self.status, 422, "the status of:\n{}", self.whole());
        let problem = self.problem("invalid_input");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let named: Vec<_> = errors
            .iter()
            .map(|error| error["field"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(named, fields, "the fields in:\n{}", self.whole());
        for error in &errors {
            assert!(
                error["message"]
                    .as_str()
                    .is_some_and(|words| !words.is_empty()),
                "{error}"
            );
        }
    }

    /// What the `Allow` header names, in order.
    #[must_use]
    #[track_caller]
    pub fn allowed(&self) -> Vec<String> {
        let allow = self
            .header("allow")
            .unwrap_or_else(|| panic!("no Allow in:\n{}", self.whole()));
        let mut methods: Vec<_> = allow
            .split(',')
            .map(|method| method.trim().to_owned())
            .collect();
        methods.sort();
        methods
    }

    /// Everything that two equal answers have in common: all but the time of day.
    #[must_use]
    pub fn essence(&self) -> (u16, BTreeMap<&str, Vec<String>>, String) {
        let mut headers = BTreeMap::<_, Vec<_>>::new();
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "date") {
            let value = String::from_utf8_lossy(value).into_owned();
            headers.entry(name.as_str()).or_default().push(value);
        }
        (
            self.status,
            headers,
            String::from_utf8_lossy(&self.body).into_owned(),
        )
    }

    /// The answer as text, for a report.
    #[must_use]
    pub fn whole(&self) -> String {
        let (status, headers, body) = self.essence();
        format!("{status} {headers:?}\n{body}")
    }

    #[track_caller]
    fn json_as(&self, content_type: &str) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some(content_type),
            "the content type of:\n{}",
            self.whole()
        );
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON: {error}:\n{}", self.whole()))
    }
}

fn lines(mut head: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = head.windows(2).position(|window| window == b"\r\n");
        let line = &head[..end.unwrap_or(head.len())];
        head = head.get(line.len() + 2..).unwrap_or_default();
        (!line.is_empty()).then_some(line)
    })
}

fn header(line: &[u8]) -> Result<(String, Vec<u8>), String> {
    let colon = line.iter().position(|byte| *byte == b':');
    let colon = colon.ok_or_else(|| format!("no header: {:?}", String::from_utf8_lossy(line)))?;
    let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
    Ok((name, line[colon + 1..].trim_ascii().to_vec()))
}

fn out_of_chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut place) = (Vec::new(), 0);
    loop {
        let line = bytes[place..]
            .windows(2)
            .position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[place..place + line]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
        place += line + 2;
        let part = bytes.get(place..place + size)?;
        let end = bytes.get(place + size..place + size + 2)?;
        assert_eq!(end, b"\r\n", "the end of a chunk");
        body.extend_from_slice(part);
        place += size + 2;
        if size == 0 {
            return Some((body, place));
        }
    }
}
