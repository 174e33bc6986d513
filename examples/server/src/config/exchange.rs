//! For whom keys are exchanged for tokens.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use sakms_core::key::Environment;
use sakms_core::token::Audience;

use super::time::seconds;

#[derive(Debug, Args)]
#[command(next_help_heading = "Exchange of keys for tokens")]
pub(crate) struct ExchangeSettings {
    /// For which other services keys are exchanged for tokens: names with a comma between; NAME=ENVIRONMENT for keys of another
    /// environment than the first
    #[arg(
        long = "exchange-audience",
        global = true,
        env = "SAKMS_EXCHANGE_AUDIENCE",
        value_name = "LIST",
        value_delimiter = ','
    )]
    pub(crate) audiences: Vec<ExchangeAudience>,

    /// How long such a token is good for, in seconds (30 to 3600)
    #[arg(long = "exchange-lifetime", global = true, env = "SAKMS_EXCHANGE_LIFETIME", default_value = "300", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) lifetime: Duration,
}

/// For whom, and for keys of which environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExchangeAudience {
    pub(crate) audience: Audience,
    pub(crate) environment: Option<Environment>,
}

impl FromStr for ExchangeAudience {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The last one: a URL may have others.
        let (name, environment) = match text.rsplit_once('=') {
            Some((name, last)) => (
                name,
                Some(
                    last.parse()
                        .map_err(|_| format!("`{last}` is no environment"))?,
                ),
            ),
            None => (text, None),
        };
        let audience = name
            .parse::<Audience>()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            audience,
            environment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_may_have_an_environment() {
        let read = |text: &str| {
            let read = text.parse::<ExchangeAudience>().ok()?;
            let environment = read.environment.map(|environment| environment.to_string());
            Some((read.audience.to_string(), environment))
        };
        let url = "https://reports.example";
        assert_eq!(read(url), Some((url.to_owned(), None)));
        let test = read(&format!("{url}=test"));
        assert_eq!(test, Some((url.to_owned(), Some("test".to_owned()))));
        for bad in ["", "=test", "a=", "a=Not an environment"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
