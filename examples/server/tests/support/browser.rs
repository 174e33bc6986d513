//! A browser, driven by the `WebDriver` protocol through chromedriver, without any network but this machine's.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client;

/// The name that `WebDriver` gives to the field in which it names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
}

impl Browser {
    /// Starts `chromedriver` and a browser with an empty profile in `folder`.
    pub(crate) fn start(chromedriver: &str, folder: &Path) -> Self {
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{chromedriver}: {error}"));
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let rest = line.split("started successfully on port ").nth(1)?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let Some(port) = port else {
            let _ = driver.kill();
            panic!("{chromedriver} did not say its port");
        };
        let mut browser = Self {
            driver,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            session: String::new(),
        };
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        let arguments = [
            "--headless",
            // The sandbox cannot be had as root, which is what tests run as in a container. All pages are ours.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1300,1000",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            &profile,
        ];
        let mut options = json!({"args": arguments});
        // Without it chromedriver looks for a browser by itself.
        if let Ok(chromium) = std::env::var("SAKMS_TEST_CHROMIUM") {
            options["binary"] = chromium.into();
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let session = browser.command("POST", "/session", &wanted);
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    pub(crate) fn open(&self, url: &str) {
        self.ask("/url", &json!({"url": url}));
    }

    /// What a script in the page gives.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.ask("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script in the page gives as soon as that is something.
    pub(crate) fn wait(&self, script: &str) -> Value {
        let start = Instant::now();
        loop {
            match self.run(script) {
                Value::Null | Value::Bool(false) => {}
                value => return value,
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{script}: not within {PATIENCE:?}; the page:\n{}\nits console: {:?}",
                self.run("return document.body.innerText"),
                self.console()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn click(&self, xpath: &str) {
        let element = self.element(xpath);
        self.ask(&format!("/element/{element}/click"), &json!({}));
    }

    pub(crate) fn enter(&self, xpath: &str, text: &str) {
        let element = self.element(xpath);
        self.ask(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// What the page has written to the console since this was asked for last.
    pub(crate) fn console(&self) -> Vec<String> {
        let entries = self.ask("/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// What was asked of any server since this was asked for last.
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.ask("/se/log", &json!({"type": "performance"}));
        let urls = entries.as_array().unwrap().iter().filter_map(|entry| {
            let entry: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let sent = entry["message"]["method"] == "Network.requestWillBeSent";
            let url = entry["message"]["params"]["request"]["url"].as_str()?;
            (sent && url.starts_with("http")).then(|| url.to_owned())
        });
        urls.collect()
    }

    fn element(&self, xpath: &str) -> String {
        // XPath says what a reader sees: the button in the box that has this word in it.
        let quoted = json!(xpath);
        self.wait(&format!(
            "const found = document.evaluate({quoted}, document, null, 9, null).singleNodeValue; \
             return found !== null && found.getClientRects().length > 0"
        ));
        let found = self.ask("/element", &json!({"using": "xpath", "value": xpath}));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn ask(&self, command: &str, body: &Value) -> Value {
        self.command("POST", &format!("{}{command}", self.session), body)
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = client::measured(self.address, method, path, &body.to_string());
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.body);
        answer.json()["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browsers when it is asked to; killed, it would leave them behind.
        let _ = client::measured(self.address, "GET", "/shutdown", "");
        let start = Instant::now();
        while matches!(self.driver.try_wait(), Ok(None)) && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
