//! Resetting a password, and confirming an address.

use serde::Deserialize;

use crate::secret::{MailedCode, Password};

/// Whose password is forgotten.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::RequestReset))]
pub(in crate::http) struct RequestReset {
    /// An address of the form `name@host`; its case does not matter.
    #[cfg_attr(feature = "openapi", schema(format = Email, max_length = 254))]
    pub(in crate::http) email: String,
}

/// Another password, for whoever has the code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::ResetPassword))]
pub(in crate::http) struct ResetPassword {
    /// The code that was mailed.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub(in crate::http) code: MailedCode,
    /// The password from now on.
    pub(in crate::http) new_password: Password,
}

/// An address that is confirmed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::ConfirmAddress))]
pub(in crate::http) struct ConfirmAddress {
    /// The code that was mailed.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub(in crate::http) code: MailedCode,
}
