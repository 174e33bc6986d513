//! Whether an answer is what a README says, ids and times aside.

use std::collections::BTreeMap;

use serde_json::Value;

const REST: char = '…';

/// What values of the README stand for.
#[derive(Debug, Default)]
pub(crate) struct Likeness {
    meant: BTreeMap<String, String>,
}

impl Likeness {
    /// Whether `found` is like `said`; why not, if not.
    pub(crate) fn text(&mut self, said: &str, found: &str) -> Result<(), String> {
        if said.starts_with("HTTP/") {
            let (head, body) = said.split_once("\n\n").unwrap_or((said, ""));
            let (found_head, found_body) = found.split_once("\n\n").unwrap_or((found, ""));
            head_like(head, found_head)?;
            return self.text(body, found_body);
        }
        if said.trim() == "…" {
            return Ok(());
        }
        if let Ok(said) = serde_json::from_str(&whole_json(said)) {
            let found = serde_json::from_str(found).map_err(|error| format!("{error}: {found}"))?;
            return self.json(&said, &found, "");
        }
        let (mut said, mut found) = (said.split_whitespace(), found.split_whitespace());
        loop {
            match (said.next(), found.next()) {
                (None, None) | (Some("…"), _) => return Ok(()),
                (Some(said), Some(found)) => self.word(said, found, "the text")?,
                (said, found) => return Err(format!("said {said:?}, found {found:?}")),
            }
        }
    }

    fn json(&mut self, said: &Value, found: &Value, path: &str) -> Result<(), String> {
        let rest = REST.to_string();
        match (said, found) {
            (Value::Object(said), Value::Object(found)) => {
                for (name, value) in said.iter().filter(|(name, _)| **name != rest) {
                    let path = format!("{path}/{name}");
                    let found = found
                        .get(name)
                        .ok_or_else(|| format!("{path} is not there"))?;
                    self.json(value, found, &path)?;
                }
                let more = found.keys().find(|name| !said.contains_key(*name));
                match more.filter(|_| !said.contains_key(&rest)) {
                    Some(name) => Err(format!("{path}/{name} is there as well")),
                    None => Ok(()),
                }
            }
            (Value::Array(said), Value::Array(found)) => {
                let open = said.last().is_some_and(|last| *last == rest);
                let said = &said[..said.len() - usize::from(open)];
                if found.len() < said.len() || (!open && found.len() > said.len()) {
                    return Err(format!("{path} has {} items", found.len()));
                }
                let mut pairs = said.iter().zip(found).enumerate();
                pairs.try_for_each(|(n, (said, found))| {
                    self.json(said, found, &format!("{path}/{n}"))
                })
            }
            (Value::String(said), Value::String(found)) => self.word(said, found, path),
            _ if said == found => Ok(()),
            _ => Err(format!("{path} is {found}")),
        }
    }

    fn word(&mut self, said: &str, found: &str, path: &str) -> Result<(), String> {
        if let Some(meant) = self.meant.get(said) {
            return if meant == found {
                Ok(())
            } else {
                Err(format!("{path} is {found}, and {said} was {meant}"))
            };
        }
        let kind = kind(said).filter(|of_said| kind(found).as_ref() == Some(of_said));
        if let Some(Kind::Time | Kind::Prefix(_)) = kind {
            // Two things may well be of one moment.
            return Ok(());
        }
        if kind.is_some() {
            if let Some((other, _)) = self.meant.iter().find(|(_, meant)| *meant == found) {
                return Err(format!(
                    "{path} is {found}, which is called {other} elsewhere"
                ));
            }
            self.meant.insert(said.to_owned(), found.to_owned());
            return Ok(());
        }
        let same = match said.strip_suffix(REST) {
            Some(start) => found.starts_with(start),
            None => said == found,
        };
        if same {
            Ok(())
        } else {
            Err(format!("{path} is {found}"))
        }
    }

    /// What was really answered where the README has this value; one that ends with `…` is known by its beginning.
    pub(crate) fn really(&self, said: &str) -> String {
        let start = said.strip_suffix(REST);
        let mut all = self.meant.iter();
        match all.find(|(known, _)| {
            *known == said || start.is_some_and(|start| known.starts_with(start))
        }) {
            Some((_, meant)) => meant.clone(),
            None if start.is_some() => panic!("{said} is nothing that was answered before"),
            None => said.to_owned(),
        }
    }
}

/// The status line, and those headers that are said.
fn head_like(said: &str, found: &str) -> Result<(), String> {
    for line in said.lines().filter(|line| *line != "…") {
        let Some((name, value)) = line.split_once(": ") else {
            if found.lines().next() == Some(line) {
                continue;
            }
            return Err(format!("the status is another than {line}"));
        };
        let mut headers = found.lines().filter_map(|line| line.split_once(": "));
        let header = headers.find(|(found, _)| found.eq_ignore_ascii_case(name));
        let (_, found) = header.ok_or_else(|| format!("there is no header {name}"))?;
        // `a=…; b` leaves something out in the middle.
        let mut rest = found;
        for part in value.split(REST) {
            let place = rest
                .find(part)
                .ok_or_else(|| format!("{name} is {found}"))?;
            rest = &rest[place + part.len()..];
        }
    }
    Ok(())
}

/// What a text is that is different on every run, with what of it is not.
#[derive(Debug, PartialEq, Eq)]
enum Kind<'a> {
    Id,
    Time,
    /// A key, as it is shown once.
    Key(&'a str),
    /// Its beginning, as lists show it.
    Prefix(&'a str),
}

fn kind(text: &str) -> Option<Kind<'_>> {
    // Hexadecimal digits for `x`, digits for `0`.
    let shaped = |text: &str, shape: &str| {
        let mut pairs = text.chars().zip(shape.chars());
        text.len() == shape.len()
            && pairs.all(|(c, like)| match like {
                'x' => c.is_ascii_hexdigit(),
                '0' => c.is_ascii_digit(),
                like => c == like,
            })
    };
    if shaped(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
        return Some(Kind::Id);
    }
    if let Some((seconds, fraction)) = text.split_at_checked(19)
        && shaped(seconds, "0000-00-00T00:00:00")
        && fraction.ends_with('Z')
    {
        return Some(Kind::Time);
    }
    let (head, tail) = text.rsplit_once('_')?;
    let alphanumeric = tail.chars().all(|c| c.is_ascii_alphanumeric());
    match tail.len() {
        76 if alphanumeric => Some(Kind::Key(head)),
        6 if alphanumeric && head.ends_with("_live") => Some(Kind::Prefix(head)),
        _ => None,
    }
}

/// The JSON with a member or an item for every `…` that stands outside of texts.
fn whole_json(text: &str) -> String {
    let mut whole = String::new();
    let (mut open, mut in_text, mut escaped) = (Vec::new(), false, false);
    for c in text.chars() {
        match c {
            '"' if !escaped => in_text = !in_text,
            '{' | '[' if !in_text => open.push(c),
            '}' | ']' if !in_text => drop(open.pop()),
            REST if !in_text => {
                whole.push_str(if open.last() == Some(&'{') {
                    "\"…\":0"
                } else {
                    "\"…\""
                });
                continue;
            }
            _ => {}
        }
        escaped = in_text && c == '\\' && !escaped;
        whole.push(c);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(said: &str, found: &str) -> bool {
        Likeness::default().text(said, found).is_ok()
    }

    #[test]
    fn what_is_said_must_be_there_and_nothing_else() {
        assert!(like(r#"{"a":1,"b":[true]}"#, r#"{"b": [true], "a": 1}"#));
        for found in [
            r#"{"a":2}"#,
            "{}",
            r#"{"a":1,"b":2}"#,
            r#"{"a":"1"}"#,
            "[1]",
            "a",
            "",
        ] {
            assert!(!like(r#"{"a":1}"#, found), "{found}");
        }
        for found in ["[]", "[1]", "[1,2,3]", "[2,1]"] {
            assert!(!like("[1,2]", found), "{found}");
        }
        assert!(like("a b", "a  b\n"));
        for found in ["a", "a c", "a b c", ""] {
            assert!(!like("a b", found), "{found}");
        }
    }

    #[test]
    fn the_rest_may_be_left_out() {
        assert!(like(
            r#"{"a":{…},"b":[…],…}"#,
            r#"{"a":{"c":1},"b":[1,2],"d":0}"#
        ));
        assert!(like(r#"[{"a":"x…",…},…]"#, r#"[{"a":"xyz","b":1},2]"#));
        assert!(!like(r#"[{"a":"x…",…},…]"#, r#"[{"a":"y","b":1},2]"#));
        assert!(!like("[1,…]", "[]"));
        assert!(like("a b… …", "a bcd e f"));
    }

    #[test]
    fn a_value_of_a_run_stands_for_one_value() {
        let key = |c: &str| format!("acme_live_{}", c.repeat(76));
        let id = |c: &str| {
            format!(
                "{0}-{1}-{1}-{1}-{2}",
                c.repeat(8),
                c.repeat(4),
                c.repeat(12)
            )
        };
        for (first, second, third) in [(key("a"), key("b"), key("c")), (id("1"), id("2"), id("3"))]
        {
            let mut likeness = Likeness::default();
            let list = |values: &[&String]| serde_json::to_string(values).unwrap();
            assert_eq!(likeness.text(&list(&[&first]), &list(&[&second])), Ok(()));
            assert_eq!(likeness.text(&first, &second), Ok(()));
            assert_eq!(likeness.really(&first), second);
            assert_eq!(likeness.really(&format!("{}…", &first[..12])), second);
            assert!(
                likeness.text(&first, &third).is_err(),
                "another value in its place"
            );
            assert!(
                likeness.text(&third, &second).is_err(),
                "another name for it"
            );
            assert!(likeness.text(&third, "abc").is_err(), "something else");
        }
        assert!(!like(&key("a"), &key("b").replace("acme", "other")));
        let times = ["2026-11-22T20:05:34.223743Z", "2027-01-02T03:04:05Z"];
        assert!(like(times[0], times[1]) && !like(times[0], "2027-01-02"));
        assert!(like("a_live_abcdef", "a_live_123456"));
        assert!(!like("a_live_abcdef", "b_live_123456"));
        assert!(!like(&key("a"), &id("1")));
    }

    #[test]
    fn of_a_head_what_is_said_is_looked_for() {
        let found = "HTTP/1.1 200 OK\ncontent-type: a\nset-cookie: s=abc; Path=/\n\n{\"a\":1}";
        assert!(like(
            "HTTP/1.1 200 OK\nSet-Cookie: s=…; Path=/\n…\n\n{\"a\":1}",
            found
        ));
        assert!(!like("HTTP/1.1 201 Created\n\n{\"a\":1}", found));
        assert!(!like("HTTP/1.1 200 OK\nx: y\n\n{\"a\":1}", found));
        assert!(!like(
            "HTTP/1.1 200 OK\nset-cookie: s=…; Secure\n\n{\"a\":1}",
            found
        ));
        assert!(!like("HTTP/1.1 200 OK\n\n{\"a\":2}", found));
    }
}
