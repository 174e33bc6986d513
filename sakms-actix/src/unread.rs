//! Bodies that nobody has read to their end.
//!
//! actix closes the connection when a body of known length was left unread, and when a body in chunks was, it reads on
//! without any bound in time. Here both end as they do under axum: what has come already is passed over, so that a small body
//! costs no connection, and nothing is waited for.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::web::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::Fuse;
use sakms_core::http::Response;

use crate::convert;

/// The response to a request of which `payload` is left.
pub(crate) async fn answer(response: Response, mut payload: Fuse<Payload>) -> HttpResponse {
    let response = convert::response(response);
    if passed_over(&mut payload).await {
        return response;
    }
    let response = response.map_body(|_, body| Held { body, payload });
    response.map_into_boxed_body()
}

/// Reads what has come, and tells whether that was everything.
async fn passed_over(payload: &mut Fuse<Payload>) -> bool {
    let mut looked_twice = false;
    poll_fn(|context| {
        loop {
            match payload.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return Poll::Ready(true),
                Poll::Pending if looked_twice => return Poll::Ready(false),
                // actix begins with the body when the handler lets go for the first time.
                Poll::Pending => {
                    looked_twice = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}

/// A body of a response that holds on to what is left of the request's until it was sent: actix reads on for ever what was
/// let go of, and closes the connection, after a while for the client to read the answer, when it was not.
struct Held {
    body: BoxBody,
    #[expect(dead_code, reason = "that it is there is all it is for")]
    payload: Fuse<Payload>,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
