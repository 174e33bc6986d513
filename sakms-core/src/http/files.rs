//! The files of the pages, all of them in the binary, and how they are sent.
//!
//! Where they come from and how to renew them stands in `assets/*/README.md`.

use std::io::Read as _;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::StatusCode;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, HeaderValue, VARY,
};

use super::call::Reply;
use super::conditional::{has_version, members, weak_version_of};

/// One file.
pub(super) struct File {
    name: &'static str,
    content_type: &'static str,
    stored: Stored,
    plain: OnceLock<Bytes>,
    version: OnceLock<HeaderValue>,
}

enum Stored {
    Plain(&'static str),
    Gzip(&'static [u8]),
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! gzip {
    ($path:literal) => {
        Stored::Gzip(include_bytes!(concat!("../../assets/", $path, ".gz")))
    };
}

macro_rules! plain {
    ($path:literal) => {
        Stored::Plain(include_str!(concat!("../../assets/", $path)))
    };
}

static FILES: [File; 6] = [
    File::new(
        "swagger-ui-bundle.js",
        SCRIPT,
        gzip!("swagger-ui/swagger-ui-bundle.js"),
    ),
    File::new("swagger-ui.css", STYLE, gzip!("swagger-ui/swagger-ui.css")),
    File::new(
        "swagger-ui-start.js",
        SCRIPT,
        plain!("pages/swagger-ui-start.js"),
    ),
    File::new(
        "redoc.standalone.js",
        SCRIPT,
        gzip!("redoc/redoc.standalone.js"),
    ),
    File::new("redoc-start.js", SCRIPT, plain!("pages/redoc-start.js")),
    File::new("redoc-start.css", STYLE, plain!("pages/redoc-start.css")),
];

impl File {
    const fn new(name: &'static str, content_type: &'static str, stored: Stored) -> Self {
        Self {
            name,
            content_type,
            stored,
            plain: OnceLock::new(),
            version: OnceLock::new(),
        }
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FILES.iter().find(|file| file.name == name)
    }

    /// The file as this request takes it. It may be kept, and is asked for again before it is used.
    pub(super) fn reply(&self, request: &HeaderMap) -> Reply {
        let version = self.version();
        let reply = if has_version(request, version) {
            Reply::text(StatusCode::NOT_MODIFIED, self.content_type, Bytes::new())
        } else {
            match self.stored {
                Stored::Gzip(bytes) if takes_gzip(request) => {
                    Reply::text(StatusCode::OK, self.content_type, bytes)
                        .with(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
                }
                _ => Reply::text(StatusCode::OK, self.content_type, self.plain()),
            }
        };
        reply
            .with(ETAG, version.clone())
            .with(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
            .with(VARY, HeaderValue::from_static("accept-encoding"))
    }

    fn plain(&self) -> Bytes {
        let bytes = self.plain.get_or_init(|| match self.stored {
            Stored::Plain(text) => text.into(),
            Stored::Gzip(bytes) => {
                let mut plain = Vec::new();
                // The files are in the binary, and a test unpacks them all.
                let _ = GzDecoder::new(bytes).read_to_end(&mut plain);
                plain.into()
            }
        });
        bytes.clone()
    }

    /// The head of a digest, marked as weak because it is the same for both encodings.
    fn version(&self) -> &HeaderValue {
        self.version.get_or_init(|| {
            weak_version_of(match self.stored {
                Stored::Plain(text) => text.as_bytes(),
                Stored::Gzip(bytes) => bytes,
            })
        })
    }
}

/// Whether the request takes gzip (RFC 9110, section 12.5.3). One that says nothing gets the file as it is.
fn takes_gzip(request: &HeaderMap) -> bool {
    let mut anything = false;
    for member in members(request, ACCEPT_ENCODING) {
        let (coding, weight) = member.split_once(';').unwrap_or((member, ""));
        let weight = weight
            .trim()
            .strip_prefix("q=")
            .map_or(Some(1.0), |q| q.parse::<f32>().ok());
        let taken = weight.is_some_and(|weight| weight > 0.0);
        match coding.trim() {
            coding if coding.eq_ignore_ascii_case("gzip") => return taken,
            "*" => anything = taken,
            _ => {}
        }
    }
    anything
}

#[cfg(test)]
mod tests {
    use http::header::{HeaderName, IF_NONE_MATCH};

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn every_file_is_whole_and_loads_nothing_from_elsewhere() {
        for file in &FILES {
            let plain = String::from_utf8(file.plain().to_vec()).unwrap();
            assert!(plain.len() > 50, "{}", file.name);
            assert!(
                plain.trim_end().ends_with(['}', ';', '/', 'p']),
                "{}: {:?}",
                file.name,
                plain.chars().last()
            );
            for elsewhere in [
                "cdn.",
                "fonts.googleapis",
                "@import",
                "unpkg.com",
                "jsdelivr",
            ] {
                assert!(!plain.contains(elsewhere), "{}: {elsewhere}", file.name);
            }
        }
    }

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        for (accept, taken) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.8", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("*;q=0", false),
            ("br", false),
            ("identity", false),
            ("gzip;q=x", false),
            ("", false),
        ] {
            assert_eq!(
                takes_gzip(&headers(ACCEPT_ENCODING, accept)),
                taken,
                "{accept}"
            );
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn both_encodings_are_the_same_file() {
        let file = File::named("swagger-ui.css").unwrap();
        let gzip = file
            .reply(&headers(ACCEPT_ENCODING, "gzip"))
            .into_response();
        let plain = file.reply(&HeaderMap::new()).into_response();
        assert_eq!(gzip.headers()[CONTENT_ENCODING], "gzip");
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        let mut unpacked = Vec::new();
        GzDecoder::new(&gzip.body()[..])
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, plain.body()[..]);
        for reply in [gzip, plain] {
            assert_eq!(reply.headers()["content-type"], STYLE);
            assert_eq!(reply.headers()[VARY], "accept-encoding");
            assert_eq!(reply.headers()[CACHE_CONTROL], "no-cache");
            assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
        }
    }

    #[test]
    fn a_file_that_is_there_already_is_not_sent_again() {
        let file = File::named("redoc-start.js").unwrap();
        let version = file.version().to_str().unwrap();
        for tags in [
            version.to_owned(),
            format!("\"x\", {version}"),
            version[2..].to_owned(),
            "*".to_owned(),
        ] {
            let request =
                HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::try_from(&tags).unwrap())]);
            let reply = file.reply(&request).into_response();
            assert_eq!(
                (reply.status(), reply.body().len()),
                (StatusCode::NOT_MODIFIED, 0),
                "{tags}"
            );
            assert_eq!(reply.headers()[ETAG], version);
        }
        let other = file
            .reply(&headers(IF_NONE_MATCH, "W/\"0000000000000000\""))
            .into_response();
        assert_eq!(other.status(), StatusCode::OK);
    }
}
