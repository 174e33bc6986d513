//! What is said of sessions and passwords.

use std::time::Duration;

use serde_json::Value;
use utoipa::ToSchema as _;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{Ref, Required};

use super::managing::list_of;
use super::page::{Page, parameter};
use super::{errors, examples, recovery};
use crate::http::dto::{ChangePassword, RefreshSession, SessionShown, SignedIn, Status};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::id::SessionId;
use crate::service::LoginDenial;

pub(super) fn describe<'a>(route: &Route, page: Page<'a>) -> Page<'a> {
    match (route.method.as_str(), route.path) {
        ("POST", "/auth/password") => page
            .named(
                "change_password",
                "Change one's password",
                "Takes the old password and the new one. All sessions of the account end but the one that asks. A wrong old \
                 password is refused as a wrong sign-in is.",
            )
            .takes::<ChangePassword>(Required::True, examples::change_password())
            .gives::<Status>("200", "The password is changed.", examples::status("changed"))
            .fails([
                Problem::login_denied(LoginDenial),
                Problem::throttled(Duration::from_secs(8)),
                errors::invalid("new_password", "must have at least 15 characters"),
                Problem::contended(),
            ])
            .writes(),
        ("POST", "/auth/refresh") => page
            .named(
                "refresh_session",
                "Go on with a session",
                "Gives another token, and the refresh token that takes the place of the one that is sent. The same request sent \
                 again within some seconds gives the same refresh token, for its answer may have been lost. After that, a refresh \
                 token that was used ends its session (RFC 9700, section 4.14.2).",
            )
            .takes::<RefreshSession>(Required::True, examples::refresh_session())
            .gives::<SignedIn<'_>>("200", "Another token, and another refresh token.", examples::signed_in())
            .fails([
                Problem::invalid_grant(),
                errors::invalid("refresh_token", "must be text"),
                Problem::contended(),
            ])
            .writes(),
        ("POST", "/auth/logout") => page
            .named(
                "sign_out",
                "Sign out",
                "Ends the session that the token belongs to. Its tokens are refused: at once here, and on other nodes within the \
                 time in which they read the journal.",
            )
            .gives::<Status>("200", "The session has ended.", examples::status("ended"))
            .fails([Problem::no_session(), Problem::contended()])
            .writes(),
        ("POST", "/auth/logout-all") => page
            .named(
                "sign_out_everywhere",
                "Sign out everywhere",
                "Ends all sessions of the account, with the one that asks.",
            )
            .gives::<Status>("200", "The sessions have ended.", examples::status("ended"))
            .writes(),
        ("GET", "/auth/sessions") => page
            .named(
                "list_sessions",
                "List one's sessions",
                "The sessions of the account that stand, the newest first, all at once.",
            )
            .gives_as::<SessionShown<'_>>("200", "The sessions.", list_of, Value::from(vec![examples::session()]))
            .stored(),
        ("DELETE", "/auth/sessions/{id}") => page
            .named(
                "end_session",
                "End a session",
                "Ends one of the account's sessions. Another's is not found, as if there were none.",
            )
            .parameter(
                parameter("id", ParameterIn::Path, "The session's id.").schema(Some(Ref::from_schema_name(SessionId::name())))
                    .example(Some(examples::session()["id"].take())),
            )
            .gives::<Status>("200", "The session has ended.", examples::status("ended"))
            .fails([Problem::contended()])
            .writes(),
        _ => recovery::describe(route, page),
    }
}
