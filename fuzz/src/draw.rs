//! Decisions and values out of an input's bytes.

/// Takes bytes from the front of an input. Where it ends there are zeros, so that every input means something.
#[derive(Debug)]
pub struct Draw<'a>(&'a [u8]);

impl<'a> Draw<'a> {
    /// All of an input.
    #[must_use]
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    /// A number below `end`, which is 1 to 256.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// One of these.
    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    /// Yes or no.
    pub fn coin(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        self.0 = rest;
        let mut bytes = [0; N];
        bytes[..taken.len()].copy_from_slice(taken);
        bytes
    }

    /// At most as many bytes as the next one says.
    pub fn short(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// Everything up to the next byte `end`, which is left out.
    pub fn until(&mut self, end: u8) -> &'a [u8] {
        let mut parts = self.0.splitn(2, |byte| *byte == end);
        let taken = parts.next().unwrap_or_default();
        self.0 = parts.next().unwrap_or_default();
        taken
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Everything that is left, as text; what is not UTF-8 is replaced.
    pub fn text(&mut self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.rest())
    }

    /// Changes a text in as many places as bytes are left for, 16 at most: other characters, some more or some less, its end cut
    /// off, a part said twice.
    pub fn edit(&mut self, text: &str) -> String {
        let mut text = text.as_bytes().to_vec();
        for _ in 0..16 {
            if self.is_empty() {
                break;
            }
            let [how, place, byte] = self.bytes();
            let place = usize::from(place) % (text.len() + 1);
            match how % 7 {
                0 if place < text.len() => text[place] = byte,
                1 => text.insert(place, byte),
                2 if place < text.len() => drop(text.remove(place)),
                3 => text.truncate(place),
                4 if place < text.len() => text[place] ^= 1 << (byte % 8),
                5 if place < text.len() => {
                    let other = usize::from(byte) % text.len();
                    text.swap(place, other);
                }
                _ => {
                    let part = text[place..].to_vec();
                    text.extend_from_slice(&part[..part.len().min(usize::from(byte))]);
                }
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_end_there_are_zeros() {
        let mut draw = Draw::new(&[7, 1]);
        assert_eq!(draw.bytes(), [7, 1, 0]);
        assert_eq!(
            (draw.byte(), draw.short(), draw.rest()),
            (0, &[][..], &[][..])
        );
    }

    #[test]
    fn a_text_is_edited_only_where_bytes_say_so() {
        assert_eq!(Draw::new(&[]).edit("abc"), "abc");
        assert_eq!(Draw::new(&[0, 1, b'x']).edit("abc"), "axc");
        assert_eq!(Draw::new(&[3, 1, 0]).edit("abc"), "a");
    }
}
