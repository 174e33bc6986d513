//! A command line as words, as a shell reads it: quotes, variables and comments.

use std::collections::BTreeMap;

pub(crate) type Variables = BTreeMap<String, String>;

/// The words of a command. A variable that is not set is a mistake of whoever wrote it.
pub(crate) fn words(line: &str, variables: &Variables) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars().peekable();
    let mut quote = None;
    while let Some(c) = rest.next() {
        match (c, quote) {
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            ('$', None | Some('"')) => {
                let mut name = String::new();
                while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                let Some(value) = variables.get(&name) else {
                    panic!("${name} is not set: {line}");
                };
                word.get_or_insert_default().push_str(value);
            }
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(rest.next()),
            ('#', None) if word.is_none() => break,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_a_shell_makes_of_them() {
        let variables = Variables::from([("KEY".to_owned(), "a b".to_owned())]);
        let read = |line| words(line, &variables);
        assert_eq!(
            read(r#"curl -H "X: $KEY" '$KEY {"a":1}' '' # the end"#),
            ["curl", "-H", "X: a b", r#"$KEY {"a":1}"#, ""]
        );
        assert_eq!(read(r"a\ b c#d $KEY/e"), ["a b", "c#d", "a b/e"]);
        assert_eq!(read("  "), [""; 0]);
    }

    #[test]
    #[should_panic(expected = "$NONE is not set")]
    fn a_variable_must_be_set() {
        words("$NONE", &Variables::new());
    }

    #[test]
    #[should_panic(expected = "a quote is not closed")]
    fn a_quote_must_be_closed() {
        words("'a", &Variables::new());
    }
}
