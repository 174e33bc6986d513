//! The core's route table as actix resources.

use std::rc::Rc;

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::StreamExt as _;
use sakms_core::http::{Api, Problem, Resource, Route};

use crate::{convert, unread};

/// The routes of a service, for [`App::configure`](actix_web::App::configure) or
/// [`Scope::configure`](actix_web::Scope::configure).
///
/// Takes a [`Sakms`](sakms_core::service::Sakms) for the defaults, or an [`Api`] with settings of its own; both are cheap
/// to clone, once for each worker. Every path answers with and without a trailing slash. Paths that are not in the table
/// are the host's; [`not_found`] is there for a host whose own paths shall answer alike. When a host has a resource of
/// the same path, the one that was added first answers; leave the group out with [`Api::groups`].
pub fn configure(api: impl Into<Api>) -> impl FnOnce(&mut ServiceConfig) {
    let api = Rc::new(api.into());
    move |config| {
        for resource in api.resources() {
            config.service(registered(&api, resource));
        }
    }
}

fn registered(api: &Rc<Api>, resource: Resource) -> actix_web::Resource {
    let mut registered = web::resource(resource.patterns());
    for route in resource.routes() {
        for method in convert::methods(route) {
            let api = Rc::clone(api);
            let handler = move |request, payload| serve(Rc::clone(&api), route, request, payload);
            registered = registered.route(web::method(method).to(handler));
        }
    }
    registered.default_service(web::to(move |request: HttpRequest, payload: Payload| {
        let refusal = resource.refuse(request.uri().path());
        unread::answer(refusal, payload.into_inner().fuse())
    }))
}

async fn serve(
    api: Rc<Api>,
    route: &'static Route,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let mut payload = payload.into_inner().fuse();
    let response = match convert::parts(&request) {
        Ok(parts) => {
            let peer = convert::peer(request.peer_addr());
            api.serve(route, parts, peer, &mut payload).await
        }
        Err(problem) => problem.into_response(),
    };
    unread::answer(response, payload).await
}

/// Answers "method not allowed" as the routes of a service do, where actix's own answer is an empty one: for
/// [`App::wrap`](actix_web::App::wrap) with [`from_fn`](actix_web::middleware::from_fn).
///
/// It is a middleware because actix tells the methods of a resource, which the answer must name, to its own answer alone.
///
/// # Errors
/// Those of the service it wraps.
pub async fn method_not_allowed<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let response = next.call(request).await?;
    let problem = Problem::method_not_allowed(&[]);
    let size = response.response().body().size();
    if !matches!(size, BodySize::None | BodySize::Sized(0))
        || response.status().as_u16() != problem.status().as_u16()
    {
        return Ok(response.map_into_left_body());
    }
    let answer = convert::response(problem.into_response());
    Ok(response.map_body(|head, _| {
        for (name, value) in answer.headers() {
            head.headers_mut().insert(name.clone(), value.clone());
        }
        EitherBody::right(answer.into_body())
    }))
}

/// Answers "not found" as the routes of a service do: for
/// [`App::default_service`](actix_web::App::default_service).
pub async fn not_found(payload: Payload) -> HttpResponse {
    let response = Problem::not_found().into_response();
    unread::answer(response, payload.into_inner().fuse()).await
}
