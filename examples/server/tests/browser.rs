//! The pages of the OpenAPI document in a real browser.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

#[macro_use]
mod support;

use support::browser::Browser;
use support::flow;
use support::server::Server;
use support::site::Site;

on_each_framework!(
    the_pages_show_the_document_and_load_nothing_from_elsewhere,
    a_reader_signs_in_and_makes_a_key,
);

/// A running server and a browser, or nothing where there is no browser.
fn stage(site: &Site) -> Option<(Server, Browser)> {
    let chromedriver = support::chromedriver()?;
    let browser = Browser::start(&chromedriver, site.folder());
    Some((site.start(&[]), browser))
}

fn the_pages_show_the_document_and_load_nothing_from_elsewhere(site: &Site) {
    let Some((server, browser)) = stage(site) else {
        return;
    };
    let origin = format!("http://{}/", server.address);
    for page in ["docs", "docs/", "redoc", "redoc/"] {
        browser.requests();
        browser.open(&format!("{origin}{page}"));
        for shown in [
            "Make a key",
            "Revoke a key",
            "Registering, signing in, changing a password",
            "MIT",
        ] {
            browser.wait(&format!(
                "return document.body.innerText.includes('{shown}')"
            ));
        }
        // What is loaded late, is loaded by now.
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert_eq!(browser.console(), [""; 0], "the console of {page}");
        let requests = browser.requests();
        assert!(
            requests.contains(&format!("{origin}openapi.json")),
            "{requests:?}"
        );
        assert!(
            requests.iter().all(|url| url.starts_with(&origin)),
            "{page}: {requests:?}"
        );
    }
}

fn a_reader_signs_in_and_makes_a_key(site: &Site) {
    let Some((server, browser)) = stage(site) else {
        return;
    };
    flow::register(&server, "ada@example.com");
    let token = flow::login(&server, "ada@example.com");
    browser.open(&format!("http://{}/docs", server.address));

    browser.click("//button[contains(@class, 'authorize')]");
    let scheme = "//div[@class='auth-container'][.//code[.='sakms_token']]";
    browser.enter(&format!("{scheme}//input"), &token);
    browser.click(&format!("{scheme}//button[@type='submit']"));
    browser.click("//button[contains(@class, 'btn-done')]");

    let operation = "//div[@id='operations-Keys-create_key']";
    browser.click(&format!(
        "{operation}//button[@class='opblock-summary-control']"
    ));
    browser.click(&format!("{operation}//button[contains(@class, 'execute')]"));
    let answer = "#operations-Keys-create_key .live-responses-table tbody";
    let text = |part: &str| {
        let script = format!("return document.querySelector('{answer} {part}')?.innerText");
        browser.wait(&script).as_str().unwrap().to_owned()
    };
    assert_eq!(text(".response-col_status").trim(), "201");
    let shown = text(".response-col_description");
    let key = shown.split("\"api_key\": \"").nth(1).unwrap();
    let key = key.split('"').next().unwrap();
    let protected = server.send("GET", "/demo/protected", &[("X-API-Key", key)], "");
    assert_eq!(
        protected.status, 200,
        "the key that was shown opens the door"
    );
    assert_eq!(browser.console(), [""; 0]);
}
