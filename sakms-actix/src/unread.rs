//! Bodies that nobody has read to their end.
//!
//! actix closes the connection when a body of known length was left unread, and reads on without end when one in chunks
//! was. Here both end as under axum: what has come already is passed over, and nothing is waited for.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use futures_util::stream::Fuse;
use futures_util::{Stream, StreamExt as _};
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

/// Ends a request whose body its handler left unread as the routes of a service do, where actix reads on for as long as the
/// client likes: for [`App::wrap`](actix_web::App::wrap) with [`from_fn`](actix_web::middleware::from_fn).
///
/// # Errors
/// Those of the service it wraps.
pub async fn unread_bodies<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let payload = match request.take_payload() {
        Payload::None => return Ok(next.call(request).await?.map_into_left_body()),
        payload => Shared(Rc::new(RefCell::new(payload.fuse()))),
    };
    request.set_payload(Payload::Stream {
        payload: Box::pin(payload.clone()),
    });
    let response = next.call(request).await?;
    let mut payload = payload;
    if passed_over(&mut payload).await {
        return Ok(response.map_into_left_body());
    }
    Ok(response.map_body(|_, body| {
        let body = body.boxed();
        EitherBody::right(Held { body, payload }.boxed())
    }))
}

/// A payload that the handler reads, and whoever comes after it the rest of.
#[derive(Clone)]
struct Shared(Rc<RefCell<Fuse<Payload>>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next_unpin(context)
    }
}

/// Reads what has come, and tells whether that was everything.
async fn passed_over<P>(payload: &mut P) -> bool
where
    P: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
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
struct Held<P> {
    body: BoxBody,
    #[expect(dead_code, reason = "that it is there is all it is for")]
    payload: P,
}

impl<P: Unpin> MessageBody for Held<P> {
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
