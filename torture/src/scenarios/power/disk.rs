//! A disk that keeps what was synced, and of the rest what it likes.

use std::collections::BTreeMap;

use super::trace::Change;

/// What a disk writes as a whole, in bytes.
const SECTOR: usize = 512;

/// A folder's files: what is on the disk, and what is on its way there.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: BTreeMap<String, File>,
    /// Files whose names were taken away, and may be there again after a power cut.
    unlinked: BTreeMap<String, File>,
    events: usize,
}

#[derive(Debug, Default, Clone)]
struct File {
    /// Whether its name is on the disk.
    named: bool,
    synced: Vec<u8>,
    /// What was done since, with the number of the event.
    pending: Vec<(usize, Pending)>,
}

#[derive(Debug, Clone)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { size: usize },
}

/// How much of what was not synced is kept.
#[derive(Debug, Clone, Copy)]
enum Kept {
    /// Each sector by itself, so many of ten.
    Sectors(u8),
    /// All of the first ones, and a part of the next.
    First,
}

impl Disk {
    /// Does what the process did.
    pub(super) fn apply(&mut self, change: &Change) {
        let number = self.events;
        self.events += 1;
        match change {
            Change::Write {
                file,
                offset,
                bytes,
            } => {
                let write = Pending::Write {
                    offset: *offset,
                    bytes: bytes.clone(),
                };
                self.file(file).pending.push((number, write));
            }
            Change::Truncate { file, size } => {
                let truncate = Pending::Truncate { size: *size };
                self.file(file).pending.push((number, truncate));
            }
            Change::Unlink { file } => {
                if let Some(gone) = self.files.remove(file) {
                    self.unlinked.insert(file.clone(), gone);
                }
            }
            Change::Sync { file, events } => {
                let file = self.file(file);
                let later = file.pending.partition_point(|(number, _)| number < events);
                for (_, pending) in file.pending.drain(..later) {
                    pending.onto(&mut file.synced, &mut || true);
                }
            }
            Change::SyncFolder => {
                self.unlinked.clear();
                self.files.values_mut().for_each(|file| file.named = true);
            }
        }
    }

    fn file(&mut self, name: &str) -> &mut File {
        self.files.entry(name.to_owned()).or_default()
    }

    /// Whether anything is not on the disk yet.
    pub(super) fn has_pending(&self) -> bool {
        self.files.values().any(|file| !file.pending.is_empty())
    }

    /// What may be found after the power was cut now.
    pub(super) fn cut(&self, random: &mut fastrand::Rng) -> BTreeMap<String, Vec<u8>> {
        let kept = match random.u8(..4) {
            0 => Kept::First,
            1 => Kept::Sectors(0),
            _ => Kept::Sectors(random.u8(1..10)),
        };
        let mut found = BTreeMap::new();
        for (name, file) in &self.unlinked {
            if random.bool() {
                found.insert(name.clone(), file.cut(kept, random));
            }
        }
        for (name, file) in &self.files {
            if file.named || random.bool() {
                found.insert(name.clone(), file.cut(kept, random));
            }
        }
        found
    }
}

impl File {
    fn cut(&self, kept: Kept, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        let first = random.usize(..=self.pending.len());
        for (at, (_, pending)) in self.pending.iter().enumerate() {
            pending.onto(&mut bytes, &mut || match kept {
                Kept::Sectors(of_ten) => random.u8(..10) < of_ten,
                Kept::First => at < first || (at == first && random.bool()),
            });
        }
        bytes
    }
}

impl Pending {
    /// Does it, each sector of it if `kept` says so.
    fn onto(&self, file: &mut Vec<u8>, kept: &mut dyn FnMut() -> bool) {
        match self {
            Self::Truncate { size } => {
                if kept() {
                    file.resize(*size, 0);
                }
            }
            Self::Write { offset, bytes } => {
                let (mut from, end) = (*offset, offset + bytes.len());
                while from < end {
                    let to = end.min((from / SECTOR + 1) * SECTOR);
                    if kept() {
                        file.resize(file.len().max(to), 0);
                        file[from..to].copy_from_slice(&bytes[from - offset..to - offset]);
                    }
                    from = to;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: usize, bytes: &[u8]) -> Change {
        let (file, bytes) = ("a".to_owned(), bytes.to_vec());
        Change::Write {
            file,
            offset,
            bytes,
        }
    }

    #[test]
    fn what_was_synced_is_kept_and_of_the_rest_any_part() {
        let mut disk = Disk::default();
        let sync = |events| Change::Sync {
            file: "a".to_owned(),
            events,
        };
        disk.apply(&write(0, &[1; 2 * SECTOR]));
        disk.apply(&sync(1));
        disk.apply(&Change::SyncFolder);
        disk.apply(&write(SECTOR, &[2; 2 * SECTOR]));
        // It began before the last write.
        disk.apply(&sync(3));
        let mut seen = std::collections::BTreeSet::new();
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let found = disk.cut(&mut random);
            let bytes = &found["a"];
            assert_eq!(bytes[..SECTOR], [1; SECTOR]);
            assert!(bytes.len() >= 2 * SECTOR);
            seen.insert((bytes.len(), bytes[SECTOR]));
        }
        let (two, three) = (2 * SECTOR, 3 * SECTOR);
        assert_eq!(
            Vec::from_iter(seen),
            [(two, 1), (two, 2), (three, 1), (three, 2)]
        );
    }

    #[test]
    fn a_name_comes_and_goes_with_its_folder() {
        let mut disk = Disk::default();
        let mut random = fastrand::Rng::with_seed(1);
        let mut times = |disk: &Disk| {
            (0..100)
                .filter(|_| disk.cut(&mut random).contains_key("a"))
                .count()
        };
        disk.apply(&write(0, &[1]));
        assert!((1..100).contains(&times(&disk)));
        disk.apply(&Change::SyncFolder);
        assert_eq!(times(&disk), 100);
        disk.apply(&Change::Unlink {
            file: "a".to_owned(),
        });
        assert!((1..100).contains(&times(&disk)));
        disk.apply(&Change::SyncFolder);
        assert_eq!(times(&disk), 0);
    }
}
