//! The passwords and words that are tried first.

use std::sync::LazyLock;

/// The list: lower case, sorted, one a line, made for this purpose. It has the usual short ones too, for hosts that
/// lower the minimum and because long passwords are made of them.
static WORDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../common_passwords.txt").lines().collect());

/// Whether a folded text is on the list.
pub(super) fn holds(folded: &str) -> bool {
    WORDS.binary_search(&folded).is_ok()
}

/// The lengths of all the words that `letters` begins with.
pub(super) fn prefixes(letters: impl Iterator<Item = char>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut words = WORDS.as_slice();
    for (depth, letter) in letters.enumerate() {
        // The list is sorted and in ASCII, so the words that go on with this letter stand together, and the word
        // that ends here stands in front of them.
        let Ok(letter) = u8::try_from(letter) else {
            break;
        };
        let at = |word: &&str| word.as_bytes().get(depth).copied();
        let start = words.partition_point(|word| at(word) < Some(letter));
        let end = words.partition_point(|word| at(word) <= Some(letter));
        words = &words[start..end];
        match words.first() {
            None => break,
            Some(word) if word.len() == depth + 1 => found.push(depth + 1),
            Some(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_as_the_search_needs_it() {
        assert!(WORDS.is_sorted_by(|a, b| a < b), "sorted, and none twice");
        assert!(WORDS.len() > 1_500, "{}", WORDS.len());
        for word in WORDS.iter() {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(word.len() >= 4 && word.bytes().all(plain), "{word}");
        }
        assert!(WORDS.iter().filter(|word| word.len() >= 15).count() > 100);
    }

    #[test]
    fn every_word_begins_with_itself() {
        for word in WORDS.iter() {
            let lengths = prefixes(word.chars());
            assert_eq!(lengths.last(), Some(&word.len()), "{word}");
            assert!(lengths.iter().all(|&length| holds(&word[..length])));
        }
        assert_eq!(prefixes("password1x".chars()), [4, 8, 9]);
        assert!(prefixes("xyzzy".chars()).is_empty());
        assert!(prefixes("pässword".chars()).is_empty());
        assert!(prefixes("".chars()).is_empty());
    }
}
