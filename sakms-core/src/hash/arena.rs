//! The memory one hashing thread works in.

use ::argon2::Block;
use zeroize::Zeroize as _;

use super::HashError;

/// Blocks that are taken once and used again: mapping 19 MiB anew for each hash costs more than a tenth of it.
///
/// Argon2 leaves its last pass behind in them. From that, and a guess, the first pass can be checked with a few of
/// its blocks instead of all: a core dump would make guessing a password about a thousand times cheaper than
/// Argon2 means it to be. So the arena is wiped after each password. It is not after a key, whose 256 bits nobody
/// guesses; that saves a millisecond or two of each.
#[derive(Debug)]
pub(super) struct Arena {
    blocks: Vec<Block>,
    /// How many of them have been written to since the last wipe.
    touched: usize,
    /// How many to keep between two hashes.
    kept: usize,
    wiped: bool,
}

impl Arena {
    /// An arena that keeps at most `kept` blocks between two hashes. It takes nothing before the first.
    pub(super) const fn new(kept: usize, wiped: bool) -> Self {
        Self {
            blocks: Vec::new(),
            touched: 0,
            kept,
            wiped,
        }
    }

    /// `count` blocks to work in.
    pub(super) fn blocks(&mut self, count: usize) -> Result<&mut [Block], HashError> {
        if let Some(missing) = count.checked_sub(self.blocks.len())
            && missing > 0
        {
            // An allocation that fails is an answer; the usual way of growing would end the process.
            self.blocks
                .try_reserve_exact(missing)
                .map_err(HashError::failed)?;
            self.blocks.resize(count, Block::new());
        }
        self.touched = self.touched.max(count);
        Ok(&mut self.blocks[..count])
    }

    /// Wipes what the last hash left, if that is this arena's way, and gives back what only that hash needed.
    pub(super) fn settle(&mut self) {
        if self.wiped {
            self.blocks[..self.touched].iter_mut().zeroize();
        }
        self.touched = 0;
        if self.blocks.len() > self.kept {
            self.blocks.truncate(self.kept);
            self.blocks.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirty(arena: &mut Arena, count: usize) {
        for block in arena.blocks(count).unwrap() {
            block.as_mut().fill(u64::MAX);
        }
    }

    fn is_clean(arena: &Arena) -> bool {
        let mut words = arena.blocks.iter().flat_map(AsRef::as_ref);
        words.all(|&word| word == 0)
    }

    #[test]
    fn it_grows_for_one_hash_and_shrinks_back() {
        let mut arena = Arena::new(8, false);
        assert_eq!(arena.blocks.capacity(), 0, "nothing before the first hash");
        dirty(&mut arena, 64);
        arena.settle();
        assert_eq!(arena.blocks.len(), 8);
        assert!(arena.blocks.capacity() < 64);
        dirty(&mut arena, 8);
        arena.settle();
        assert_eq!(arena.blocks.len(), 8);
    }

    #[test]
    fn only_the_arena_for_passwords_is_wiped() {
        for wiped in [true, false] {
            let mut arena = Arena::new(8, wiped);
            dirty(&mut arena, 8);
            dirty(&mut arena, 2);
            arena.settle();
            assert_eq!(is_clean(&arena), wiped);
        }
    }

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        let mut arena = Arena::new(8, true);
        let refused = arena.blocks(usize::MAX / 2).unwrap_err();
        assert!(matches!(refused, HashError::Failed(_)), "{refused:?}");
        arena.settle();
    }
}
