//! How bytes stand in a text file, and names for what is not known before a step has run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Stands for `{{any}}` in a recorded line: no shown text holds it.
const ANY: char = '\u{1}';

/// What placeholders stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(BTreeMap<String, Vec<u8>>);

impl Names {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The value of a name, which must be text.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        String::from_utf8(self.value(name)?).map_err(|_| format!("`{name}` is not text"))
    }

    /// The bytes a text stands for: escapes are undone and placeholders filled.
    pub(super) fn bytes(&self, text: &str) -> Result<Vec<u8>, String> {
        let (mut bytes, mut rest) = (Vec::new(), text);
        while let Some(letter) = rest.chars().next() {
            if let Some(escaped) = rest.strip_prefix('\\') {
                let (byte, length) = unescaped(escaped)?;
                bytes.push(byte);
                rest = &escaped[length..];
            } else if let Some(inner) = rest.strip_prefix("{{") {
                let (inner, behind) = placeholder(inner)?;
                bytes.extend(self.placed(inner)?);
                rest = behind;
            } else {
                let length = letter.len_utf8();
                bytes.extend_from_slice(&rest.as_bytes()[..length]);
                rest = &rest[length..];
            }
        }
        Ok(bytes)
    }

    /// A recorded line with its placeholders filled; escapes stay, as they do in what is compared with it.
    pub(super) fn filled(&self, line: &str) -> Result<String, String> {
        let (mut filled, mut rest) = (String::new(), line);
        while let Some(letter) = rest.chars().next() {
            let length = if letter == '\\' {
                1 + rest.chars().nth(1).map_or(0, char::len_utf8)
            } else if let Some(inner) = rest.strip_prefix("{{") {
                let (inner, behind) = placeholder(inner)?;
                match inner {
                    "any" => filled.push(ANY),
                    _ => filled.push_str(&shown(&self.placed(inner)?)),
                }
                rest = behind;
                continue;
            } else {
                letter.len_utf8()
            };
            filled.push_str(&rest[..length]);
            rest = &rest[length..];
        }
        Ok(filled)
    }

    /// What stands between two pairs of braces: `'text' * times`, or a name with changes behind colons.
    fn placed(&self, inner: &str) -> Result<Vec<u8>, String> {
        let Some(quoted) = inner.strip_prefix('\'') else {
            return self.value(inner);
        };
        let (text, times) = quoted
            .rsplit_once('\'')
            .and_then(|(text, times)| Some((text, times.trim().strip_prefix('*')?.trim())))
            .ok_or_else(|| format!("`{inner}` is not of the form 'text' * times"))?;
        let times = times
            .parse()
            .map_err(|_| format!("`{times}` is no number"))?;
        Ok(self.bytes(text)?.repeat(times))
    }

    fn value(&self, name: &str) -> Result<Vec<u8>, String> {
        let (name, changes) = name.split_once(':').unwrap_or((name, ""));
        let value = self.0.get(name).cloned();
        let value = value.ok_or_else(|| format!("nothing is called `{name}` here"))?;
        let mut changes = changes.split(':').filter(|change| !change.is_empty());
        changes.try_fold(value, changed)
    }
}

/// What stands before the closing braces, and what behind them.
fn placeholder(inner: &str) -> Result<(&str, &str), String> {
    inner
        .split_once("}}")
        .ok_or_else(|| "a placeholder without its end; braces are written \\{".to_owned())
}

fn unescaped(rest: &str) -> Result<(u8, usize), String> {
    let byte = match rest.as_bytes().first() {
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'0') => 0,
        Some(&same @ (b'\\' | b'{')) => same,
        Some(b'x') => {
            let digits = rest.get(1..3).unwrap_or_default();
            let byte = u8::from_str_radix(digits, 16);
            return Ok((byte.map_err(|_| format!("\\x{digits} is no byte"))?, 3));
        }
        _ => return Err("a backslash with nothing known behind it".to_owned()),
    };
    Ok((byte, 1))
}

fn changed(mut value: Vec<u8>, change: &str) -> Result<Vec<u8>, String> {
    let part = |number: usize| {
        let part = value.split(|byte| *byte == b'.').nth(number);
        part.map(<[u8]>::to_vec)
            .ok_or_else(|| "that token has fewer parts".to_owned())
    };
    match change {
        "header" => return part(0),
        "claims" => return part(1),
        "signature" => return part(2),
        "upper" => value.make_ascii_uppercase(),
        "cut" => drop(value.pop()),
        "flip" => {
            if let Some(last) = value.last_mut() {
                *last = if *last == b'A' { b'B' } else { b'A' };
            }
        }
        "percent" => {
            let encoded: String = value.iter().map(|byte| format!("%{byte:02x}")).collect();
            return Ok(encoded.into_bytes());
        }
        _ => return Err(format!("`{change}` is no change")),
    }
    Ok(value)
}

/// Bytes as they stand in a file: [`Names::bytes`] of it gives them back, and it is one line without white space at its end.
pub(super) fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        let mut letters = chunk.valid().chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '{' if letters.peek() == Some(&'{') => text.push_str("\\{"),
                letter if letter.is_control() => escape(&mut text, letter.encode_utf8(&mut [0; 4])),
                letter => text.push(letter),
            }
        }
        escape(&mut text, chunk.invalid());
    }
    if text.ends_with(' ') {
        text.pop();
        text.push_str("\\x20");
    }
    text
}

fn escape(text: &mut String, bytes: impl AsRef<[u8]>) {
    for byte in bytes.as_ref() {
        let _ = write!(text, "\\x{byte:02x}");
    }
}

/// Whether a shown line is what a filled one says, where `{{any}}` is anything.
pub(super) fn agrees(filled: &str, line: &str) -> bool {
    let mut parts = filled.split(ANY);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> Names {
        let mut names = Names::default();
        names.set("key", "abc");
        names.set("token", "a.b.c");
        names
    }

    #[test]
    fn a_text_is_its_bytes_once_escapes_and_names_are_put_in() {
        for (text, bytes) in [
            ("", b"".as_slice()),
            ("é", b"\xc3\xa9"),
            (r"a\n\r\t\0\\\{\xFF", b"a\n\r\t\0\\{\xff"),
            ("Bearer {{key}}!", b"Bearer abc!"),
            (r"\{{key}}", b"{{key}}"),
            ("{{key:flip}} {{key:cut}} {{key:upper}}", b"abA ab ABC"),
            ("{{key:cut:percent}}", b"%61%62"),
            (
                "{{token:claims}}{{token:header}}{{token:signature}}",
                b"bac",
            ),
            (
                "{{'[' * 3}}{{'\\xff' * 2}}{{'it''s' * 1}}",
                b"[[[\xff\xffit''s",
            ),
        ] {
            assert_eq!(names().bytes(text).as_deref(), Ok(bytes), "{text}");
        }
        for bad in [
            "{{nobody}}",
            "{{key",
            "{{key:eaten}}",
            "{{key:signature}}",
            "{{'a'}}",
            "{{'a' * b}}",
            "\\",
            "\\q",
            "\\x0",
            "\\xgg",
        ] {
            assert!(names().bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_is_anything_within_its_line() {
        for (filled, line, agree) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("{{any}}", "", true),
            ("length: {{any}}", "length: 12", true),
            ("length: {{any}}", "width: 12", false),
            ("a{{any}}b{{any}}c", "a1b2c", true),
            ("a{{any}}b{{any}}c", "a1c", false),
            ("ab{{any}}bc", "abc", false),
            ("{{key}}{{any}}", "abc", true),
            (r"\{\{any}}", "x", false),
        ] {
            let filled = names().filled(filled).unwrap();
            assert_eq!(agrees(&filled, line), agree, "{filled:?} {line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read_again(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let text = shown(&bytes);
            prop_assert_eq!(names().bytes(&text), Ok(bytes));
            prop_assert!(!text.contains('\n') && text.trim_ascii_end() == text);
            prop_assert!(agrees(&names().filled(&text).unwrap(), &text));
        }

        #[test]
        fn braces_are_no_placeholders(text in "[{}\\\\a ]{0,12}") {
            prop_assert_eq!(names().bytes(&shown(text.as_bytes())), Ok(text.into_bytes()));
        }
    }
}
