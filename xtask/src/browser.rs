//! The browser that the tests open the documentation in.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};
use crate::{find, install};

/// A browser, and the program that drives it.
#[derive(Debug)]
pub(crate) struct Browser {
    /// Chromium or Chrome.
    pub(crate) chromium: PathBuf,
    /// chromedriver.
    pub(crate) driver: PathBuf,
}

impl Browser {
    /// Those of this system, or Debian's after they were installed.
    pub(crate) fn find_or_install() -> Outcome<Self> {
        if let Some(found) = Self::find()? {
            return Ok(found);
        }
        install::browser()?;
        let what = "chromium and chromium-driver are installed but cannot be run";
        Self::find()?.ok_or_else(|| Failure::new(what))
    }

    fn find() -> Outcome<Option<Self>> {
        let (chromium, driver) = (find::CHROMIUM.find()?, find::CHROMEDRIVER.find()?);
        Ok(chromium
            .zip(driver)
            .map(|(chromium, driver)| Self { chromium, driver }))
    }
}
