//! The words of the routes by which other programs ask about keys.

use super::page::Page;
use crate::http::route::Route;

pub(super) fn describe<'a>(route: &Route, page: Page<'a>) -> Page<'a> {
    let _ = route;
    page
}
