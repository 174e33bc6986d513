//! How cheaply a password can be put together.
//!
//! A guessing program does not try characters, it tries pieces: words from its list, names it knows, years, walks
//! over the keyboard. The password is covered with such pieces so that the sum of what they cost is the least. The
//! costs are roughly bits, and on the safe side for the pieces: a password that is refused is a bad one, while not
//! every bad one is found.

use zeroize::Zeroizing;

use super::keyboard::walks;
use super::list;

/// A name that belongs to the person or the service: the first thing to try.
const NAME: u32 = 5;
/// A year.
const YEAR: u32 = 7;
/// A walk: where it begins, where it goes and how far.
const WALK: u32 = 6;
/// A word from the list, in any spelling.
const WORD: u32 = 9;
/// Below this a cover with any piece in it is too cheap. A text of single characters has no such bound: how long it
/// must be is the host's choice.
const ENOUGH: u32 = 40;

/// What the cheapest cover of a password says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    Strong,
    Weak { with_name: bool },
}

/// A cover of the first characters.
#[derive(Clone, Copy)]
struct Partial {
    cost: u32,
    has_piece: bool,
    has_name: bool,
}

/// Judges a folded password by its cheapest cover.
pub(super) fn cheapest_cover(letters: &[char], names: &[Zeroizing<Vec<char>>]) -> Cover {
    let plain: Zeroizing<Vec<char>> = Zeroizing::new(letters.iter().copied().map(unleet).collect());
    let walks = walks(letters);
    let start = Partial {
        cost: 0,
        has_piece: false,
        has_name: false,
    };
    let mut best = vec![None; letters.len() + 1];
    best[0] = Some(start);
    for at in 0..letters.len() {
        // Every position is reached: by single characters, if by nothing else.
        let Some(here): Option<Partial> = best[at] else {
            continue;
        };
        let mut reach = |end: usize, cost: u32, piece: bool, name: bool| {
            let there = Partial {
                cost: here.cost + cost,
                has_piece: here.has_piece || piece,
                has_name: here.has_name || name,
            };
            if best[end].is_none_or(|known| there.cost < known.cost) {
                best[end] = Some(there);
            }
        };
        let rest = &letters[at..];
        reach(at + 1, single(letters[at]), false, false);
        if is_year(rest) {
            reach(at + 4, YEAR, true, false);
        }
        if walks[at] > at {
            reach(walks[at], WALK, true, false);
        }
        for length in list::prefixes(rest.iter().copied()) {
            reach(at + length, WORD, true, false);
        }
        for length in list::prefixes(plain[at..].iter().copied()) {
            reach(at + length, WORD, true, false);
        }
        for name in names {
            if rest.starts_with(name) || plain[at..].starts_with(name) {
                reach(at + name.len(), NAME, true, true);
            }
        }
    }
    match best[letters.len()] {
        Some(whole) if whole.has_piece && whole.cost < ENOUGH => Cover::Weak {
            with_name: whole.has_name,
        },
        _ => Cover::Strong,
    }
}

/// What a character costs that belongs to no piece.
const fn single(letter: char) -> u32 {
    match letter {
        ' ' | '-' | '_' | '.' | ',' => 2,
        '0'..='9' => 3,
        'a'..='z' => 4,
        _ => 5,
    }
}

fn is_year(letters: &[char]) -> bool {
    matches!(
        letters,
        ['1', '9', '0'..='9', '0'..='9', ..] | ['2', '0', '0'..='9', '0'..='9', ..]
    )
}

/// The letter that a sign is usually put for.
const fn unleet(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    }
}
