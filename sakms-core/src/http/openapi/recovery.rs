//! What is said of codes that are mailed.

use std::time::Duration;

use utoipa::openapi::Required;

use super::page::Page;
use super::{errors, examples};
use crate::http::dto::{ConfirmAddress, Registered, RequestReset, ResetPassword, Status};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::service::CodeDenial;

pub(super) fn describe<'a>(route: &Route, page: Page<'a>) -> Page<'a> {
    match (route.method.as_str(), route.path) {
        ("POST", "/auth/reset") => page
            .named(
                "request_password_reset",
                "Ask to reset a password",
                "Mails a code to whoever has an account with this address, for `POST /auth/reset/confirm`. The answer is the same \
                 when nobody has, when the account is disabled, and when the address was written to often enough.",
            )
            .takes::<RequestReset>(Required::True, examples::request_reset())
            .gives::<Status>("202", "The request was heard. It says nothing of the address.", examples::status("accepted"))
            .fails([
                errors::invalid("email", "not a valid e-mail address: expected name@domain.tld, at most 254 bytes"),
                Problem::throttled(Duration::from_secs(8)),
                Problem::overloaded(),
            ])
            .writes(),
        ("POST", "/auth/reset/confirm") => page
            .named(
                "reset_password",
                "Reset a password",
                "Takes a code that was mailed and the new password. All sessions of the account end, and no code of it is good any \
                 more. A password that is too weak costs no code. Nobody is signed in by it.",
            )
            .takes::<ResetPassword>(Required::True, examples::reset_password())
            .gives::<Status>("200", "The password is changed.", examples::status("changed"))
            .fails([
                Problem::code_denied(CodeDenial),
                errors::invalid("new_password", "must have at least 15 characters"),
                Problem::throttled(Duration::from_secs(8)),
                Problem::overloaded(),
            ])
            .writes(),
        ("POST", "/auth/confirm") => page
            .named(
                "confirm_address",
                "Confirm an address",
                "Takes a code that was mailed to whoever registered, and makes the account. The same code gives the same account \
                 for as long as it is good. Nobody is signed in by it.",
            )
            .takes::<ConfirmAddress>(Required::True, examples::confirm_address())
            .gives::<Registered>("201", "The account is made.", examples::registered())
            .fails([
                Problem::code_denied(CodeDenial),
                errors::invalid("code", "must be text"),
                Problem::throttled(Duration::from_secs(8)),
            ])
            .writes(),
        _ => page,
    }
}
