//! Between actix's `http` 0.2 and the core's `http` 1, byte by byte.

use std::net::{IpAddr, SocketAddr};

use actix_web::error::HttpError;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use http::request::Parts;
use sakms_core::http::{Problem, Response, Route};
use sakms_core::service::Caller;

/// The methods a route answers to.
pub(crate) fn methods(route: &Route) -> impl Iterator<Item = Method> {
    let methods = route.methods().into_iter();
    methods.filter_map(|method| Method::from_bytes(method.as_str().as_bytes()).ok())
}

/// What the core reads of a request: its method, target and headers, and whom the host says it is from.
pub(crate) fn parts(request: &HttpRequest) -> Result<Parts, Problem> {
    let target = request.uri().path_and_query();
    let mut builder = http::Request::builder()
        .method(request.method().as_str())
        .uri(target.map_or("/", |target| target.as_str()));
    for (name, value) in request.headers() {
        builder = builder.header(name.as_str(), value.as_bytes());
    }
    let request_1 = builder.body(()).map_err(|_| Problem::unreadable_head())?;
    let (mut parts, ()) = request_1.into_parts();
    if let Some(caller) = request.extensions().get::<Caller>() {
        parts.extensions.insert(caller.clone());
    }
    Ok(parts)
}

/// The headers of these names, every value of each.
pub(crate) fn headers(
    headers: &HeaderMap,
    names: &[http::HeaderName],
) -> Result<http::HeaderMap, Problem> {
    let mut found = http::HeaderMap::new();
    for name in names {
        for value in headers.get_all(name.as_str()) {
            let value = http::HeaderValue::from_bytes(value.as_bytes());
            found.append(name, value.map_err(|_| Problem::unreadable_head())?);
        }
    }
    Ok(found)
}

/// The other end of the connection.
pub(crate) fn peer(socket: Option<SocketAddr>) -> Option<IpAddr> {
    socket.map(|socket| socket.ip())
}

/// Appends headers of the core's to what a handler answered.
pub(crate) fn add(headers: &mut HeaderMap, added: &http::HeaderMap) {
    for (name, value) in added {
        // What is a header in one version of the crate is one in the other.
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
}

/// A response of the core as one of actix, for a host that answers with a [`Problem`] of its own accord.
pub fn response(response: Response) -> HttpResponse {
    // What is a status or a header in one version of the crate is one in the other.
    into_actix(response).unwrap_or_else(HttpResponse::from_error)
}

fn into_actix(response: Response) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let mut response = HttpResponse::with_body(parts.status.as_u16().try_into()?, body);
    for (name, value) in &parts.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes())?;
        let value = HeaderValue::from_bytes(value.as_bytes())?;
        response.headers_mut().append(name, value);
    }
    Ok(response.map_into_boxed_body())
}
