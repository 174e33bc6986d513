//! Sessions: a random token in a cookie, its digest in a table.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sakms_core::entropy::{Entropy as _, OsEntropy};
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::users::{UserId, Users};

/// The cookie that holds a session's token. `__Host-` has browsers hold that it is `Secure`, for every path, and of this
/// host alone.
pub const COOKIE: &str = "__Host-session";

impl Users {
    /// A new session of eight hours; gives its token.
    pub(crate) async fn open_session(&self, user: UserId) -> Result<String, Error> {
        let mut token = [0; 32];
        OsEntropy.fill(&mut token)?;
        let token = URL_SAFE_NO_PAD.encode(token);
        let text = "DELETE FROM sessions WHERE expires_at <= unixepoch()";
        sqlx::query(text).execute(self.pool()).await?;
        let text = "INSERT INTO sessions (digest, user_id, expires_at) \
             VALUES (?, ?, unixepoch() + 8 * 3600)";
        let query = sqlx::query(text).bind(digest(&token)).bind(user.number());
        query.execute(self.pool()).await?;
        Ok(token)
    }

    /// Whose session it is, as long as it lasts.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub async fn of_session(&self, token: &str) -> Result<Option<UserId>, Error> {
        let text = "SELECT user_id FROM sessions WHERE digest = ? AND expires_at > unixepoch()";
        let query = sqlx::query_scalar(text).bind(digest(token));
        let user: Option<i64> = query.fetch_optional(self.pool()).await?;
        Ok(user.map(UserId::from))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub async fn sign_out(&self, token: &str) -> Result<(), Error> {
        let text = "DELETE FROM sessions WHERE digest = ?";
        let query = sqlx::query(text).bind(digest(token));
        query.execute(self.pool()).await?;
        Ok(())
    }
}

/// Whoever reads the table finds nothing in it to sign in with.
fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

/// Whether a browser sends a request for another site, to judge by its headers (one's value by its name).
///
/// `SameSite` in the cookie holds most of them off, but a sister domain is the same site. And not every route wants JSON,
/// which only a script can send: SAKMS's POSTs do without a body.
pub fn from_elsewhere<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> bool {
    match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        // A browser of before 2023.
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) != header("host"),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_site_sends_is_told_by_its_headers() {
        let elsewhere = |headers: &[(&str, &'static str)]| {
            from_elsewhere(|name| {
                let mut found = headers.iter().filter(|(known, _)| *known == name);
                found.next().map(|(_, value)| *value)
            })
        };
        let host = ("host", "app.example:3000");
        let here = ("origin", "https://app.example:3000");
        for site in ["cross-site", "same-site", "", "?"] {
            assert!(elsewhere(&[("sec-fetch-site", site), here, host]), "{site}");
        }
        for origin in ["https://evil.example", "https://app.example", "null", ""] {
            assert!(elsewhere(&[("origin", origin), host]), "{origin}");
        }
        for site in ["same-origin", "none"] {
            assert!(!elsewhere(&[("sec-fetch-site", site), host]), "{site}");
        }
        assert!(!elsewhere(&[here, host]));
        assert!(!elsewhere(&[host]), "not a browser");
    }

    #[tokio::test]
    async fn a_session_ends_when_it_is_over() {
        let pool = crate::open(":memory:").await.unwrap();
        crate::migrate(&pool).await.unwrap();
        let users = Users::new(pool.clone()).unwrap();
        let ada = serde_json::json!({"name": "ada", "password": "violet tram kettle oak"});
        let ada = serde_json::from_value(ada).unwrap();
        let user = users.sign_up(&ada).await.unwrap();
        let (first, token) = users.sign_in(&ada).await.unwrap();
        let (second, other) = users.sign_in(&ada).await.unwrap();
        assert_eq!((first, second), (user, user));
        assert_ne!(token, other);

        users.sign_out(&token).await.unwrap();
        assert_eq!(users.of_session(&token).await.unwrap(), None);
        assert_eq!(users.of_session(&other).await.unwrap(), Some(user));
        let late = sqlx::query("UPDATE sessions SET expires_at = unixepoch()");
        late.execute(&pool).await.unwrap();
        assert_eq!(users.of_session(&other).await.unwrap(), None);
    }
}
