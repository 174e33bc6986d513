//! Base62 of a fixed width: big-endian, zero padded, digits `0-9A-Za-z`.
//!
//! A width of `w` characters holds `N` bytes when 62^w ≥ 256^N. Every value has exactly one text: a text whose
//! value does not fit in `N` bytes is refused, so that no two texts stand for the same key.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The largest power of 62 whose product with a digit group still fits a word: 62^10 < 2^64.
const GROUP: usize = 10;

const INVALID: u8 = 0xFF;

const VALUES: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut value = 0_u8;
    while value < 62 {
        values[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Writes `bytes` in as many digits as `text` has room for.
///
/// The caller chooses a width that holds every value of `N` bytes; the constants of the key format do.
pub fn encode<const N: usize>(bytes: &[u8; N], text: &mut [u8]) {
    let mut rest = *bytes;
    for place in text.iter_mut().rev() {
        let mut remainder: u16 = 0;
        for byte in &mut rest {
            let value = (remainder << 8) | u16::from(*byte);
            // The remainder is below 62, so the quotient is below 256 and nothing is cut off.
            *byte = (value / 62).to_be_bytes()[1];
            remainder = value % 62;
        }
        *place = DIGITS[usize::from(remainder)];
    }
    zeroize::Zeroize::zeroize(&mut rest);
}

/// Reads `text` into `N` bytes; `None` for a character that is no digit or a value that does not fit.
#[must_use]
pub fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    // Eight bytes a limb, least significant first; four limbs are enough for 32 bytes.
    let mut limbs = [0_u64; 4];
    let used = N.div_ceil(8);
    if used > limbs.len() {
        return None;
    }
    let (head, groups) = text.split_at(text.len() % GROUP);
    for group in std::iter::once(head).chain(groups.chunks_exact(GROUP)) {
        let mut carry = 0_u64;
        let mut scale = 1_u64;
        for &character in group {
            let value = VALUES[usize::from(character)];
            if value == INVALID {
                return None;
            }
            carry = carry * 62 + u64::from(value);
            scale *= 62;
        }
        for limb in &mut limbs[..used] {
            let wide = u128::from(*limb) * u128::from(scale) + u128::from(carry);
            (carry, *limb) = halves(wide);
        }
        if carry != 0 {
            return None;
        }
    }
    let mut bytes = [0_u8; N];
    for (place, limb) in bytes.rchunks_mut(8).zip(limbs) {
        let word = limb.to_be_bytes();
        let (over, fits) = word.split_at(8 - place.len());
        if over.iter().any(|&byte| byte != 0) {
            return None;
        }
        place.copy_from_slice(fits);
    }
    zeroize::Zeroize::zeroize(&mut limbs);
    Some(bytes)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "each half is exactly one word"
)]
const fn halves(wide: u128) -> (u64, u64) {
    ((wide >> 64) as u64, wide as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of<const N: usize>(bytes: &[u8; N], width: usize) -> Vec<u8> {
        let mut text = vec![0; width];
        encode(bytes, &mut text);
        text
    }

    #[test]
    fn known_values() {
        assert_eq!(text_of(&[0; 16], 22), [b'0'; 22]);
        assert_eq!(text_of(&[0xFF; 16], 22), b"7n42DGM5Tflk9n8mt7Fhc7");
        assert_eq!(text_of(&62_u64.to_be_bytes(), 11), b"00000000010");
        assert_eq!(decode::<16>(b"7n42DGM5Tflk9n8mt7Fhc7"), Some([0xFF; 16]));
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        assert_eq!(decode::<16>(b"7n42DGM5Tflk9n8mt7Fhc8"), None);
        assert_eq!(decode::<16>(&[b'z'; 22]), None);
        assert_eq!(decode::<32>(&[b'z'; 43]), None);
        assert_eq!(decode::<8>(&[b'z'; 11]), None);
        assert_eq!(decode::<10>(b"zzzzzzzzzzzzzzz"), None);
    }

    #[test]
    fn what_is_no_digit_is_refused() {
        for byte in (0..=255_u8).filter(|byte| !byte.is_ascii_alphanumeric()) {
            let mut text = [b'0'; 11];
            text[5] = byte;
            assert_eq!(decode::<8>(&text), None, "{byte}");
        }
    }

    /// The first two places are left out: 2^256 is no power of 62. The bound is eight standard deviations above what is expected,
    /// so that a sound source fails once in very many millions of runs.
    #[test]
    fn no_letter_of_a_secret_is_more_frequent_than_another() {
        use crate::entropy::{OsEntropy, draw};
        let (mut seen, mut all) = ([0_u32; 62], 0_u32);
        for _ in 0..20_000 {
            let text = text_of(&draw::<32>(&OsEntropy).unwrap(), 43);
            for letter in &text[2..] {
                let digit = DIGITS.iter().position(|digit| digit == letter).unwrap();
                seen[digit] += 1;
                all += 1;
            }
        }
        let expected = f64::from(all) / 62.0;
        let distance = |count: u32| (f64::from(count) - expected).powi(2) / expected;
        let chi_square: f64 = seen.into_iter().map(distance).sum();
        let bound = 61.0 + 8.0 * (2.0 * 61.0_f64).sqrt();
        assert!(chi_square < bound, "{chi_square} of {bound}: {seen:?}");
    }

    proptest! {
        #[test]
        fn sixteen_bytes_come_back(bytes: [u8; 16]) {
            prop_assert_eq!(decode::<16>(&text_of(&bytes, 22)), Some(bytes));
        }

        #[test]
        fn thirty_two_bytes_come_back(bytes: [u8; 32]) {
            prop_assert_eq!(decode::<32>(&text_of(&bytes, 43)), Some(bytes));
        }

        #[test]
        fn a_text_that_is_read_is_the_one_that_is_written(text in "[0-9A-Za-z]{43}") {
            if let Some(bytes) = decode::<32>(text.as_bytes()) {
                prop_assert_eq!(text_of(&bytes, 43), text.as_bytes());
            }
        }
    }
}
