//! How passwords are reset, and whether addresses are confirmed.

use std::time::Duration;

use crate::mail::{LinkTemplate, ServiceName};

/// What is mailed, and for how long its codes are good. It needs a mailer
/// ([`SakmsBuilder::mailer`](crate::service::SakmsBuilder::mailer)).
///
/// ```
/// # use std::time::Duration;
/// # use sakms_core::service::RecoveryConfig;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recovery = RecoveryConfig::default()
///     .lifetime(Duration::from_mins(20))
///     .service_name("Acme".parse()?)
///     .reset_link("https://acme.example/reset#{code}".parse()?)
///     .confirm_link("https://acme.example/confirm#{code}".parse()?)
///     .confirm_addresses(true);
/// # let _ = recovery;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct RecoveryConfig {
    pub(super) lifetime: Duration,
    pub(super) service: Option<ServiceName>,
    pub(super) reset_link: Option<LinkTemplate>,
    pub(super) confirm_link: Option<LinkTemplate>,
    pub(super) confirms: bool,
}

impl Default for RecoveryConfig {
    /// Codes are good for half an hour and stand in mail as they are; addresses are not confirmed.
    fn default() -> Self {
        Self {
            lifetime: Duration::from_mins(30),
            service: None,
            reset_link: None,
            confirm_link: None,
            confirms: false,
        }
    }
}

impl RecoveryConfig {
    /// The shortest life of a code.
    pub const MIN_LIFETIME: Duration = Duration::from_mins(15);
    /// The longest life of a code.
    pub const MAX_LIFETIME: Duration = Duration::from_hours(1);

    /// For how long a code is good: 15 to 60 minutes, half an hour when nothing is said.
    pub const fn lifetime(mut self, time: Duration) -> Self {
        self.lifetime = time;
        self
    }

    /// What the service calls itself in its mail.
    pub fn service_name(mut self, name: ServiceName) -> Self {
        self.service = Some(name);
        self
    }

    /// The page at which somebody chooses another password; it sends the code and the password to `POST /auth/reset/confirm`.
    /// Without one the code stands in the mail.
    pub fn reset_link(mut self, link: LinkTemplate) -> Self {
        self.reset_link = Some(link);
        self
    }

    /// The page at which somebody confirms their address; it sends the code to `POST /auth/confirm`. Without one the code
    /// stands in the mail.
    pub fn confirm_link(mut self, link: LinkTemplate) -> Self {
        self.confirm_link = Some(link);
        self
    }

    /// Whether an account is made only when a code was sent back that was mailed to its address. Registering then answers the
    /// same for addresses that have an account and those that have none.
    pub const fn confirm_addresses(mut self, setting: bool) -> Self {
        self.confirms = setting;
        self
    }

    pub(in crate::service) const fn confirms(&self) -> bool {
        self.confirms
    }

    /// Whether the settings are within their bounds.
    pub(in crate::service) fn check(&self) -> Result<(), &'static str> {
        if (Self::MIN_LIFETIME..=Self::MAX_LIFETIME).contains(&self.lifetime) {
            Ok(())
        } else {
            Err("a code that is mailed is good for 15 to 60 minutes")
        }
    }
}
