//! As much of `curl` as READMEs need, over a socket.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The status line and the headers, as they came.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The value of a header, the first one of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends a request and reads the whole answer.
#[must_use]
pub fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if headers
        .iter()
        .all(|(name, _)| !name.eq_ignore_ascii_case("host"))
    {
        text.extend(["Host: ", &address.to_string(), "\r\n"]);
    }
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if !body.is_empty() {
        text.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
    }
    text.extend(["\r\n", body]);

    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        panic!("{method} {target}: not an answer: {text}");
    };
    assert!(
        !head.to_lowercase().contains("transfer-encoding"),
        "chunks are not read here"
    );
    Answer {
        status: head[9..12].parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Cookies by the name of the file they are said to be in, and where hosts really are.
#[derive(Debug, Default)]
pub(crate) struct Curl {
    pub(crate) hosts: BTreeMap<String, SocketAddr>,
    jars: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Default)]
struct Options<'a> {
    head: bool,
    method: Option<&'a str>,
    headers: Vec<(&'a str, &'a str)>,
    data: Option<&'a str>,
    send_cookies: Option<&'a str>,
    keep_cookies: Option<&'a str>,
    url: Option<&'a str>,
}

impl<'a> Options<'a> {
    fn of(arguments: &[&'a str]) -> Self {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let Some(flags) = argument.strip_prefix('-') else {
                assert!(options.url.replace(argument).is_none(), "curl: two URLs");
                continue;
            };
            for flag in flags.chars() {
                let mut value = || {
                    arguments
                        .next()
                        .unwrap_or_else(|| panic!("curl: -{flag} of what?"))
                };
                match flag {
                    's' => {}
                    'i' => options.head = true,
                    'X' => options.method = Some(value()),
                    'H' => options.headers.extend(value().split_once(": ")),
                    'd' => options.data = Some(value()),
                    'b' => options.send_cookies = Some(value()),
                    'c' => options.keep_cookies = Some(value()),
                    _ => panic!("curl: an option that is not known here: -{flag}"),
                }
            }
        }
        options
    }
}

impl Curl {
    /// What `curl` prints.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> String {
        let options = Options::of(arguments);
        let url = options.url.unwrap_or_else(|| panic!("curl: no URL"));
        let url = url.strip_prefix("http://").unwrap_or(url);
        let (host, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        let Some(address) = self.hosts.get(host) else {
            panic!("curl: nobody listens at {host}");
        };
        let mut headers = options.headers;
        headers.push(("Host", host));
        let jar = options.send_cookies.and_then(|file| self.jars.get(file));
        let cookies = jar.map(|jar| jar.iter().map(|(name, value)| format!("{name}={value}")));
        let cookies = cookies.map(|cookies| cookies.collect::<Vec<_>>().join("; "));
        headers.extend(cookies.iter().map(|cookies| ("Cookie", cookies.as_str())));
        let typed = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if options.data.is_some() && !typed {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        let usual = if options.data.is_some() {
            "POST"
        } else {
            "GET"
        };
        let method = options.method.unwrap_or(usual);
        let path = if path.is_empty() { "/" } else { path };
        let answer = request(
            *address,
            method,
            path,
            &headers,
            options.data.unwrap_or_default(),
        );

        if let Some(file) = options.keep_cookies {
            let jar = self.jars.entry(file.to_owned()).or_default();
            let set = answer.head.lines().filter_map(|line| line.split_once(": "));
            for (_, cookie) in set.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
                let pair = cookie.split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').unwrap_or_default();
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        if options.head {
            format!("{}\n\n{}", answer.head.replace('\r', ""), answer.body)
        } else {
            answer.body
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers one request, and gives what it was.
    fn listen(answer: &'static str) -> (SocketAddr, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listening = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&bytes[..length]).into_owned()
        });
        (address, listening)
    }

    fn run(curl: &mut Curl, answer: &'static str, arguments: &[&str]) -> (String, String) {
        let (address, listening) = listen(answer);
        curl.hosts.insert("localhost:3000".to_owned(), address);
        let printed = curl.run(arguments);
        (listening.join().unwrap(), printed)
    }

    #[test]
    fn a_request_is_what_curl_would_send() {
        let curl = &mut Curl::default();
        let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: s=1; Path=/\r\nset-cookie: t=2\r\n\r\nyes";
        let (sent, printed) = run(
            curl,
            answer,
            &["-s", "-c", "jar", "localhost:3000/a?b", "-d", "x"],
        );
        assert!(sent.starts_with("POST /a?b HTTP/1.1\r\n"), "{sent}");
        assert!(sent.contains("\r\nHost: localhost:3000\r\n"), "{sent}");
        assert!(
            sent.contains("\r\nContent-Type: application/x-www-form-urlencoded\r\n"),
            "{sent}"
        );
        assert!(sent.ends_with("\r\nContent-Length: 1\r\n\r\nx"), "{sent}");
        assert_eq!(printed, "yes");

        let arguments = [
            "-si",
            "http://localhost:3000",
            "-X",
            "PUT",
            "-b",
            "jar",
            "-H",
            "A: b",
        ];
        let (sent, printed) = run(curl, "HTTP/1.1 204 No Content\r\nC: d\r\n\r\n", &arguments);
        assert!(sent.starts_with("PUT / HTTP/1.1\r\n"), "{sent}");
        assert!(
            sent.contains("\r\nCookie: s=1; t=2\r\n") && sent.contains("\r\nA: b\r\n"),
            "{sent}"
        );
        assert_eq!(printed, "HTTP/1.1 204 No Content\nC: d\n\n");
    }
}
