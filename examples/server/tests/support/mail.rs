//! The mail that a server writes into a folder.

use std::path::Path;
use std::time::{Duration, Instant};

/// The mail in the folder with this subject, as soon as it is there.
pub(crate) fn mail(folder: &Path, subject: &str) -> String {
    let start = Instant::now();
    let subject = format!("\r\nSubject: Acme: {subject}\r\n");
    loop {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "no mail: {subject}"
        );
        for file in std::fs::read_dir(folder.join("mail")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|end| end == "eml") {
                let text = std::fs::read_to_string(path).unwrap();
                if text.contains(&subject) {
                    return text;
                }
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What stands behind these words in a line of its own.
pub(crate) fn code(mail: &str, before: &str) -> String {
    let mut lines = mail.lines().map(str::trim);
    let line = lines.find_map(|line| line.strip_prefix(before).filter(|code| code.len() == 54));
    line.unwrap_or_else(|| panic!("no code in:\n{mail}"))
        .to_owned()
}
