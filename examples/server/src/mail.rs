//! Who sends mail, as the settings say.

use sakms_core::mail::{FileMailer, Sender, SmtpMailer};
use sakms_core::secret::Password;
use sakms_core::service::{RecoveryConfig, SakmsBuilder};

use crate::config::{ConfirmSetting, MailSettings};
use crate::error::Failure;

/// What is mailed, and by whom.
#[derive(Debug)]
pub(crate) struct Mail {
    by: By,
    recovery: RecoveryConfig,
}

#[derive(Debug)]
enum By {
    Smtp(SmtpMailer),
    /// Makes its folder when it is set up, so that is done last.
    Files(std::path::PathBuf, Sender),
}

impl Mail {
    /// Reads the settings; `None` where none of them is made. A part of them is a mistake.
    pub(crate) fn of(settings: &MailSettings) -> Result<Option<Self>, Failure> {
        let MailSettings {
            smtp_url,
            mail_dir,
            mail_from,
            reset_url,
            confirm_url,
            confirm_addresses,
            mail_code_lifetime,
        } = settings;
        let confirms = *confirm_addresses == ConfirmSetting::On;
        if smtp_url.is_none() && mail_dir.is_none() {
            let without = [
                (confirms, "--confirm-addresses on"),
                (mail_from.is_some(), "--mail-from"),
                (reset_url.is_some(), "--reset-url"),
                (confirm_url.is_some(), "--confirm-url"),
            ];
            return match without.into_iter().find(|(is_set, _)| *is_set) {
                Some((_, flag)) => Err(Failure::plain(format!(
                    "{flag} does nothing without mail: set --smtp-url, or --mail-dir for development"
                ))),
                None => Ok(None),
            };
        }
        let Some(sender) = mail_from.clone() else {
            return Err(Failure::plain("mail needs a sender: set --mail-from"));
        };
        let mut recovery = RecoveryConfig::default()
            .lifetime(*mail_code_lifetime)
            .confirm_addresses(confirms);
        if let Some(name) = sender.name() {
            let name = name.parse();
            recovery =
                recovery.service_name(name.map_err(|error| Failure::new("--mail-from", &error))?);
        }
        if let Some(link) = reset_url.clone() {
            recovery = recovery.reset_link(link);
        }
        if let Some(link) = confirm_url.clone() {
            recovery = recovery.confirm_link(link);
        }
        let by = match (smtp_url, mail_dir) {
            (Some(url), None) => {
                let mailer = SmtpMailer::new(&Password::new(url.0.clone()), sender);
                By::Smtp(mailer.map_err(|error| Failure::new("--smtp-url", &error))?)
            }
            (None, Some(folder)) => By::Files(folder.clone(), sender),
            _ => {
                return Err(Failure::plain(
                    "mail goes one way: set --smtp-url or --mail-dir, and not both",
                ));
            }
        };
        Ok(Some(Self { by, recovery }))
    }

    /// Has the service send mail.
    pub(crate) fn set_up(self, builder: SakmsBuilder) -> Result<SakmsBuilder, Failure> {
        let builder = builder.recovery(self.recovery);
        Ok(match self.by {
            By::Smtp(mailer) => builder.mailer(mailer),
            By::Files(folder, sender) => {
                let mailer = FileMailer::new(folder, sender);
                builder.mailer(mailer.map_err(|error| Failure::new("--mail-dir", &error))?)
            }
        })
    }
}
