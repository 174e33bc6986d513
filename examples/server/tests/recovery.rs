//! A password that is reset, and an address that is confirmed, through the mail that the server writes into a folder.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "mail is waited for")]

#[macro_use]
mod support;

use std::time::Duration;

use serde_json::json;
use support::flow;
use support::mail::{code, mail};
use support::server::Server;
use support::site::Site;

on_each_framework!(
    a_password_is_reset_through_the_folder,
    an_address_is_confirmed_through_the_folder,
    mail_that_waits_at_the_end_is_sent,
    settings_that_do_not_fit_are_refused,
);

const FROM: (&str, &str) = ("SAKMS_MAIL_FROM", "Acme <no-reply@acme.example>");
const FOLDER: (&str, &str) = ("SAKMS_MAIL_DIR", "mail");
const ANOTHER: &str = "pewter violin harbour moss";

fn post(server: &Server, path: &str, body: &serde_json::Value) -> support::client::Answer {
    server.send("POST", path, &[], &body.to_string())
}

fn a_password_is_reset_through_the_folder(site: &Site) {
    let link = ("SAKMS_RESET_URL", "https://acme.example/reset#{code}");
    let log = ("SAKMS_LOG", "trace");
    let server = site.start(&[FROM, FOLDER, link, log]);
    flow::register(&server, "ada@example.com");
    let token = flow::login(&server, "ada@example.com");
    let asked = post(&server, "/auth/reset", &json!({"email": "ada@example.com"}));
    assert_eq!(
        (asked.status, &*asked.body),
        (202, r#"{"status":"accepted"}"#)
    );
    let unknown = post(&server, "/auth/reset", &json!({"email": "eve@example.com"}));
    assert_eq!((unknown.status, unknown.body), (202, asked.body));
    let mail_to_ada = mail(site.folder(), "Reset your password");
    assert!(mail_to_ada.contains("\r\nTo: ada@example.com\r\n"));
    let code = code(&mail_to_ada, "https://acme.example/reset#");

    let body = json!({"code": code, "new_password": ANOTHER});
    let reset = post(&server, "/auth/reset/confirm", &body);
    assert_eq!(
        (reset.status, &*reset.body),
        (200, r#"{"status":"changed"}"#)
    );
    let again = post(&server, "/auth/reset/confirm", &body);
    assert_eq!(
        (again.status, again.text("code")),
        (400, "invalid_code".to_owned())
    );
    let login = |password: &str| {
        let body = json!({"email": "ada@example.com", "password": password});
        post(&server, "/auth/login", &body).status
    };
    assert_eq!((login(flow::PASSWORD), login(ANOTHER)), (401, 200));
    let bearer = [("Authorization", &*format!("Bearer {token}"))];
    assert_eq!(server.send("GET", "/keys", &bearer, "").status, 401);
    mail(site.folder(), "Your password was changed");

    // Nothing of it is in the log, not even in that of somebody who looks for a fault.
    let log = server.log();
    assert!(log.contains("/auth/reset/confirm"), "{log}");
    for secret in [
        &*code,
        &code[..43],
        &code[11..],
        ANOTHER,
        flow::PASSWORD,
        "ada@example.com",
    ] {
        assert!(!log.contains(secret), "in the log: {secret}");
    }
}

fn an_address_is_confirmed_through_the_folder(site: &Site) {
    let server = site.start(&[FROM, FOLDER, ("SAKMS_CONFIRM_ADDRESSES", "on")]);
    let body = json!({"email": "ada@example.com", "password": flow::PASSWORD});
    let asked = post(&server, "/auth/register", &body);
    assert_eq!(asked.status, 202, "{}", asked.body);
    assert_eq!(post(&server, "/auth/login", &body).status, 401);
    let code = code(&mail(site.folder(), "Confirm your e-mail address"), "");
    let made = post(&server, "/auth/confirm", &json!({"code": code}));
    assert_eq!(made.status, 201, "{}", made.body);
    flow::login(&server, "ada@example.com");
    let known = post(&server, "/auth/register", &body);
    assert_eq!((known.status, known.body), (202, asked.body));
    mail(site.folder(), "You have an account already");
}

/// A folder that is not there keeps mail waiting; the server tries once more before it ends.
fn mail_that_waits_at_the_end_is_sent(site: &Site) {
    let mut server = site.start(&[FROM, FOLDER]);
    flow::register(&server, "ada@example.com");
    let folder = site.folder().join("mail");
    std::fs::remove_dir(&folder).unwrap();
    post(&server, "/auth/reset", &json!({"email": "ada@example.com"}));
    server.wait_for_log("mail could not be sent");
    std::fs::create_dir(&folder).unwrap();
    server.signal("TERM");
    assert!(server.wait(Duration::from_secs(20)).success());
    code(&mail(site.folder(), "Reset your password"), "");
}

fn settings_that_do_not_fit_are_refused(site: &Site) {
    let smtp = ("SAKMS_SMTP_URL", "smtps://me:canary@mail.example");
    let confirm = ("SAKMS_CONFIRM_ADDRESSES", "on");
    let reset = ("SAKMS_RESET_URL", "https://acme.example/#{code}");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[confirm],
            "--confirm-addresses on does nothing without mail",
        ),
        (&[FROM], "--mail-from does nothing without mail"),
        (&[reset], "--reset-url does nothing without mail"),
        (&[FOLDER], "mail needs a sender"),
        (&[FOLDER, smtp, FROM], "cannot be used with"),
        (
            &[FOLDER, ("SAKMS_MAIL_FROM", "Acme\r\nBcc: eve@example.com")],
            "not a sender of mail",
        ),
        (
            &[FOLDER, FROM, ("SAKMS_RESET_URL", "https://acme.example/")],
            "not a link for mail",
        ),
        (
            &[
                FROM,
                ("SAKMS_SMTP_URL", "smtp://me:canary@mail.example?tls=none"),
            ],
            "tls=none is for",
        ),
        (
            &[FOLDER, FROM, ("SAKMS_MAIL_CODE_LIFETIME", "60")],
            "15 to 60 minutes",
        ),
    ];
    for (settings, wanted) in cases {
        let listen = [("SAKMS_LISTEN", "127.0.0.1:0")];
        let (status, _, said) = site.run(&[], &[&listen, *settings].concat());
        assert_ne!(status, 0, "{wanted}");
        assert!(said.contains(wanted), "{wanted}:\n{said}");
        assert!(!said.contains("canary"), "{said}");
    }
}
