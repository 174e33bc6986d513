//! The header `Forwarded` (RFC 7239, section 4).

use std::net::IpAddr;

use super::address;

/// Whom each element of a line is `for`, the last one first; `None` for one that names no address (`unknown`, `_hidden`).
///
/// A line that breaks the grammar anywhere names nobody: where a stranger left a quote open, nobody can tell whose words are
/// whose.
pub(super) fn clients(line: &[u8]) -> Vec<Option<IpAddr>> {
    let parsed = std::str::from_utf8(line).ok().and_then(elements);
    let mut clients = parsed.unwrap_or_else(|| vec![None]);
    clients.reverse();
    clients
}

/// `None` when the line breaks the grammar.
fn elements(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut rest = line.trim_matches(BLANK);
    let mut elements = Vec::new();
    loop {
        let mut client = None;
        // RFC 9110, section 5.6.1: empty elements of a list are passed over.
        let empty = rest.is_empty() || rest.starts_with(',');
        while !rest.is_empty() && !rest.starts_with(',') {
            if let Some(after) = rest.strip_prefix(';') {
                rest = after.trim_start_matches(BLANK);
                continue;
            }
            let (name, value, after) = pair(rest)?;
            if name.eq_ignore_ascii_case("for") && client.replace(address(&value)).is_some() {
                return None;
            }
            rest = after.trim_start_matches(BLANK);
            if !rest.is_empty() && !rest.starts_with([',', ';']) {
                return None;
            }
        }
        if !empty {
            elements.push(client.flatten());
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start_matches(BLANK),
            None => return Some(elements),
        }
    }
}

const BLANK: [char; 2] = [' ', '\t'];

/// `name=token` or `name="text"`, and what follows it.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    if name.is_empty() || !name.bytes().all(is_token) {
        return None;
    }
    let Some(quoted) = rest.strip_prefix('"') else {
        // Addresses with a colon must be quoted; many proxies do not.
        let end = rest
            .bytes()
            .position(|byte| !is_token(byte) && !b":[]".contains(&byte));
        let (value, rest) = rest.split_at(end.unwrap_or(rest.len()));
        return (!value.is_empty()).then(|| (name, value.to_owned(), rest));
    };
    let (mut value, mut letters) = (String::new(), quoted.char_indices());
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Some((name, value, &quoted[place + 1..])),
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
