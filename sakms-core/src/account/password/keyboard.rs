//! Fingers that walk: along the rows and columns of a keyboard, up and down the alphabet, or on the spot.

use zeroize::Zeroizing;

/// Rows of keys, each a little to the right of the one above; unshifted, for the folded text is in lower case.
const LAYOUTS: [[&str; 4]; 3] = [
    ["1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"],
    ["1234567890ß", "qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-"],
    ["1234567890", "azertyuiop^$", "qsdfghjklmù*", "wxcvbn,;:!"],
];
/// The digits with Shift held, on an American keyboard.
const SHIFTED: &str = "!@#$%^&*()";

/// A walk shorter than this happens by chance.
const SHORTEST: usize = 4;

/// A way to get from one character to the next. A walk keeps to its way.
#[derive(Clone, Copy)]
enum Step {
    /// By so many code points: one up, one down, or none.
    Code(i32),
    /// To a neighbouring key of this layout: so many rows down and keys to the right.
    Key(usize, i8, i8),
}

/// Where a character is on each layout: the row and the place in it.
type Places = [Option<(i8, i8)>; LAYOUTS.len()];

/// For each position, where the longest walk that begins there ends. One that is too short to be a walk ends where
/// it begins.
pub(super) fn walks(letters: &[char]) -> Vec<usize> {
    let keys = letters.iter().map(|&letter| {
        let places: Places = std::array::from_fn(|layout| key(layout, letter));
        (letter, places)
    });
    let keys = Zeroizing::new(keys.collect::<Vec<_>>());
    let mut ends: Vec<usize> = (0..keys.len()).collect();
    for way in ways() {
        // From the back, so that each position knows at once how far the next one goes.
        let mut end = keys.len();
        for start in (0..keys.len()).rev() {
            if keys
                .get(start + 1)
                .is_none_or(|next| !goes(&keys[start], next, way))
            {
                end = start + 1;
            }
            if end - start >= SHORTEST {
                ends[start] = ends[start].max(end);
            }
        }
    }
    ends
}

fn ways() -> impl Iterator<Item = Step> {
    let neighbours = (-1..=1).flat_map(|down| (-1..=1).map(move |right| (down, right)));
    let neighbours = neighbours.filter(|&neighbour| neighbour != (0, 0));
    let keys = neighbours.flat_map(|(down, right)| {
        (0..LAYOUTS.len()).map(move |layout| Step::Key(layout, down, right))
    });
    (-1..=1).map(Step::Code).chain(keys)
}

fn goes(from: &(char, Places), to: &(char, Places), way: Step) -> bool {
    match way {
        Step::Code(by) => u32::from(from.0).checked_add_signed(by) == Some(u32::from(to.0)),
        Step::Key(layout, down, right) => match (from.1[layout], to.1[layout]) {
            (Some(from), Some(to)) => to == (from.0 + down, from.1 + right),
            _ => false,
        },
    }
}

/// The row and the place in it.
fn key(layout: usize, letter: char) -> Option<(i8, i8)> {
    let place = |row: &str| row.chars().position(|key| key == letter);
    let mut rows = (0..).zip(LAYOUTS[layout]).chain([(0, SHIFTED)]);
    rows.find_map(|(row, keys)| Some((row, i8::try_from(place(keys)?).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> bool {
        let letters: Vec<_> = text.chars().collect();
        walks(&letters)[0] == letters.len()
    }

    #[test]
    fn walks_are_found() {
        for text in [
            "1234567890",
            "0987654321",
            "890-=",
            "qwertyuiop",
            "poiuytrewq",
            "asdfghjkl;'",
            "zxcvbnm,./",
            "1qaz",
            "zaq1",
            "4rfv",
            "abcdefghijklmnopqrstuvwxyz",
            "zyxwvuts",
            "aaaa",
            "    ",
            "qwertzuiopü",
            "azertyuiop",
            "!@#$%^&*()",
            "αβγδ",
        ] {
            assert!(whole(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_walk_is_not() {
        for text in ["abc", "qwe", "violet", "were", "qwaszx", "a1b2c3", "kT3v"] {
            assert!(!whole(text), "{text}");
        }
        assert!(walks(&[]).is_empty());
    }

    #[test]
    fn a_walk_may_begin_anywhere() {
        let letters: Vec<_> = "xx23456yy".chars().collect();
        assert_eq!(walks(&letters), [0, 1, 7, 7, 4, 5, 6, 7, 8]);
    }
}
