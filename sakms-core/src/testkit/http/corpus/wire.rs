//! Bytes there and back, over a connection of their own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::testkit::http::Answer;

/// How long a connection may stay open. Every step ends with a request after which the server closes it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What goes out.
#[derive(Debug)]
pub(super) enum Part {
    Bytes(Vec<u8>),
    /// Until one more answer than before is there, or the connection is closed.
    AwaitAnswer,
}

/// What came back until the server closed the connection.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) answers: Vec<Answer>,
    /// What came and is no whole answer.
    pub(super) rest: Vec<u8>,
}

/// Sends the parts and reads until the server closes the connection.
pub(super) async fn exchange(
    address: SocketAddr,
    parts: Vec<Part>,
    methods: &[String],
) -> Result<Exchange, String> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|error| format!("nobody listens: {error}"))?;
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    let (reader, mut writer) = stream.into_split();
    let (tell, mut told) = watch::channel(Vec::new());
    let reading = tokio::spawn(read(reader, tell));
    let whole = async {
        let mut seen = 0;
        for part in parts {
            match part {
                // A server may answer and hang up before it has read everything.
                Part::Bytes(bytes) => drop(writer.write_all(&bytes).await),
                Part::AwaitAnswer => {
                    let more =
                        |read: &Vec<u8>| taken_apart(read, methods, false).answers.len() > seen;
                    let _ = told.wait_for(more).await;
                    seen += 1;
                }
            }
        }
        reading.await
    };
    let read = timeout(PATIENCE, whole).await.map_err(|_| {
        format!("the connection is still open after {PATIENCE:?}; the last request must say Connection: close")
    })?;
    drop(writer);
    Ok(taken_apart(&read.unwrap()?, methods, true))
}

/// Everything until the other side closes. A connection that is reset ends there: what came before it counts.
async fn read(mut reader: OwnedReadHalf, tell: watch::Sender<Vec<u8>>) -> Result<Vec<u8>, String> {
    let mut read = Vec::new();
    loop {
        match reader.read_buf(&mut read).await {
            Ok(0) => return Ok(read),
            Ok(_) => drop(tell.send(read.clone())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(read),
            Err(error) => return Err(format!("the answer could not be read: {error}")),
        }
    }
}

/// The answers in what was read, of which each final one belongs to the next of these methods.
fn taken_apart(read: &[u8], methods: &[String], closed: bool) -> Exchange {
    let (mut answers, mut rest) = (Vec::<Answer>::new(), read);
    let mut methods = methods.iter().map(String::as_str).peekable();
    while !rest.is_empty() {
        let to_head = methods.peek() == Some(&"HEAD");
        let Ok(Some((answer, length))) = Answer::read(rest, to_head, closed) else {
            break;
        };
        if answer.status >= 200 {
            methods.next();
        }
        answers.push(answer);
        rest = &rest[length..];
    }
    let rest = rest.to_vec();
    Exchange { answers, rest }
}
