//! The rows of one path together, as routers want them.

use std::collections::BTreeMap;

use super::problem::Problem;
use super::response::Response;
use super::route::{Route, allowed_methods};

/// A path of the table with its rows.
#[derive(Debug, Clone)]
pub struct Resource {
    path: &'static str,
    routes: Vec<&'static Route>,
}

impl Resource {
    /// In an order in which a router that takes the first match finds the right one: `{` sorts behind every letter.
    pub(super) fn of(routes: impl Iterator<Item = &'static Route>) -> Vec<Self> {
        let mut paths = BTreeMap::<_, Vec<_>>::new();
        for route in routes {
            paths.entry(route.path).or_default().push(route);
        }
        paths
            .into_iter()
            .map(|(path, routes)| Self { path, routes })
            .collect()
    }

    /// The path, and the same with a trailing slash: it answers to both.
    #[must_use]
    pub fn patterns(&self) -> [String; 2] {
        [self.path.to_owned(), format!("{}/", self.path)]
    }

    /// Its rows, one for each method.
    pub fn routes(&self) -> impl Iterator<Item = &'static Route> {
        self.routes.iter().copied()
    }

    /// Answers a request for a method that it has no row for.
    #[must_use]
    pub fn refuse(&self, path: &str) -> Response {
        if stands_at(self.path, path) {
            Problem::method_not_allowed(&allowed_methods(self.path)).into_response()
        } else {
            Problem::not_found().into_response()
        }
    }
}

/// Whether the path of a request is `pattern` under whatever prefix, letter by letter.
///
/// The router has found it so, but one takes an empty segment for an id and another does not, and one decodes `%6B` before
/// it compares and another does not. Behind a proxy that looks at paths, two spellings of one path are a way around it.
pub(super) fn stands_at(pattern: &str, path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut found = path.rsplit('/');
    pattern
        .trim_start_matches('/')
        .rsplit('/')
        .all(|wanted| match found.next() {
            Some(segment) if wanted.starts_with('{') => !segment.is_empty(),
            segment => segment == Some(wanted),
        })
}

#[cfg(test)]
mod tests {
    use super::super::route::routes;
    use super::*;

    #[test]
    fn a_path_is_compared_letter_by_letter_under_any_prefix() {
        for path in [
            "/keys/abc",
            "/keys/abc/",
            "/account/keys/abc",
            "/keys/%61",
            "/keys/keys/",
        ] {
            assert!(stands_at("/keys/{id}", path), "{path}");
        }
        for path in [
            "/keys//",
            "/keys",
            "/%6beys/abc",
            "/Keys/abc",
            "/keys/abc//",
            "keysabc",
            "",
        ] {
            assert!(!stands_at("/keys/{id}", path), "{path}");
        }
    }

    #[test]
    fn every_row_is_in_one_resource_and_fixed_segments_come_first() {
        let resources = Resource::of(routes().iter());
        let rows: usize = resources
            .iter()
            .map(|resource| resource.routes().count())
            .sum();
        assert_eq!(rows, routes().len());
        let place = |path| resources.iter().position(|resource| resource.path == path);
        assert!(place("/keys") < place("/keys/{id}"));
        assert_eq!("{id}".cmp("zz"), std::cmp::Ordering::Greater);
    }
}
