//! The log line of a request, as an actix middleware.

use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ResponseHead, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use futures_util::FutureExt as _;
use sakms_core::http::Problem;
use tracing::Instrument as _;

use super::{Entry, REQUEST_ID};
use crate::listen;

/// Runs around every request.
pub(crate) async fn request<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let route = request.match_pattern();
    let entry = Entry::begin(request.method().as_str(), route.as_deref());
    let answer = AssertUnwindSafe(next.call(request)).catch_unwind();
    let answer = answer.instrument(entry.span()).await;
    let failed = match answer {
        Ok(Ok(mut response)) => {
            name(response.headers_mut(), &entry);
            end_connection(response.response_mut().head_mut());
            entry.end(response.status().as_u16());
            return Ok(response);
        }
        Ok(Err(error)) => error.error_response(),
        Err(_) => sakms_actix::response(Problem::panicked().into_response()),
    };
    Err(answered(failed, &entry))
}

/// An error that is answered with this response: what a middleware has instead of the request is gone.
fn answered(mut response: HttpResponse<BoxBody>, entry: &Entry) -> Error {
    name(response.headers_mut(), entry);
    end_connection(response.head_mut());
    entry.end(response.status().as_u16());
    InternalError::from_response("answered by an error", response).into()
}

fn end_connection(head: &mut ResponseHead) {
    if listen::is_stopping() {
        head.set_connection_type(ConnectionType::Close);
    }
}

fn name(headers: &mut HeaderMap, entry: &Entry) {
    if let Ok(id) = entry.id().parse() {
        headers.insert(HeaderName::from_static(REQUEST_ID), id);
    }
}
