//! What a process did to its files, as `strace` wrote it down.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

/// The options with which `strace` writes what [`read`] reads.
pub(super) const OPTIONS: &[&str] = &[
    "-y",
    "-ttt",
    "-xx",
    "-s",
    "1000000",
    "-e",
    "trace=pwrite64,write,pwritev,writev,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat2",
    "-e",
    "signal=none",
];

/// Something done to a file in the folder that is watched, or to the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// When it began, in microseconds since 1970.
    pub(super) at: i64,
    pub(super) change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Write {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        size: usize,
    },
    Unlink {
        file: String,
    },
    /// All that was written before this many events is on the disk now.
    Sync {
        file: String,
        events: usize,
    },
    /// The folder's names are on the disk now.
    SyncFolder,
}

/// Reads what was done to files in this folder whose names begin with `stem`.
pub(super) fn read(trace: &Path, folder: &Path, stem: &str) -> Vec<Event> {
    let mut reader = Reader {
        folder: folder.display().to_string(),
        stem,
        events: Vec::new(),
        begun: HashMap::new(),
    };
    for line in BufReader::new(File::open(trace).unwrap()).lines() {
        reader.line(&line.unwrap());
    }
    reader.events
}

struct Reader<'a> {
    folder: String,
    stem: &'a str,
    events: Vec<Event>,
    /// Syncs that have begun: of which thread, when, of what, after how many events.
    begun: HashMap<String, (i64, String, usize)>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        let Some((thread, rest)) = line.split_once(' ') else {
            return;
        };
        let Some((time, call)) = rest.trim_start().split_once(' ') else {
            return;
        };
        let Some(at) = microseconds(time) else {
            return;
        };
        if call.starts_with("<... fsync resumed") || call.starts_with("<... fdatasync resumed") {
            if let Some((at, path, events)) = self.begun.remove(thread) {
                self.sync(at, &path, events);
            }
            return;
        }
        let Some((name, arguments)) = call.split_once('(') else {
            return;
        };
        let events = self.events.len();
        match name {
            "fsync" | "fdatasync" => {
                let path = descriptor(arguments);
                if arguments.contains("<unfinished") {
                    self.begun.insert(thread.to_owned(), (at, path, events));
                } else {
                    self.sync(at, &path, events);
                }
            }
            "pwrite64" => {
                let Some(file) = self.name(&descriptor(arguments)) else {
                    return;
                };
                let mut parts = arguments.split(", ").skip(1);
                let bytes = bytes(parts.next().unwrap());
                let offset = parts.nth(1).unwrap();
                let digits = offset.split([')', ' ']).next().unwrap();
                let offset = digits.parse().unwrap();
                self.add(
                    at,
                    Change::Write {
                        file,
                        offset,
                        bytes,
                    },
                );
            }
            "ftruncate" => {
                if let Some(file) = self.name(&descriptor(arguments)) {
                    let size = arguments.split(", ").nth(1).unwrap();
                    let size = size.split([')', ' ']).next().unwrap().parse().unwrap();
                    self.add(at, Change::Truncate { file, size });
                }
            }
            "unlink" => {
                let path = String::from_utf8(bytes(arguments)).unwrap();
                if let Some(file) = self.name(&path) {
                    self.add(at, Change::Unlink { file });
                }
            }
            // SQLite uses none of them on its files. If it does one day, this must learn to read them.
            _ => {
                let path = descriptor(arguments);
                assert!(self.name(&path).is_none(), "not known: {name} of {path}");
            }
        }
    }

    fn sync(&mut self, at: i64, path: &str, events: usize) {
        if path == self.folder {
            self.add(at, Change::SyncFolder);
        } else if let Some(file) = self.name(path) {
            self.add(at, Change::Sync { file, events });
        }
    }

    fn add(&mut self, at: i64, change: Change) {
        self.events.push(Event { at, change });
    }

    /// The name of a file that is watched. The memory that readers share (`-shm`) is no part of what is kept.
    fn name(&self, path: &str) -> Option<String> {
        let name = path.strip_prefix(&self.folder)?.strip_prefix('/')?;
        (name.starts_with(self.stem) && !name.ends_with("-shm")).then(|| name.to_owned())
    }
}

fn microseconds(time: &str) -> Option<i64> {
    let (seconds, part) = time.split_once('.')?;
    Some(seconds.parse::<i64>().ok()? * 1_000_000 + part.parse::<i64>().ok()?)
}

/// The path in `11<\x2f\x74…>, …`; none for what has none.
fn descriptor(arguments: &str) -> String {
    let path = arguments
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or("", |(path, _)| path);
    String::from_utf8(bytes(path)).unwrap_or_default()
}

/// The bytes of a text in which each is written `\x2f`. Whatever stands around them is left out.
fn bytes(text: &str) -> Vec<u8> {
    let parts = text.split("\\x").skip(1);
    parts
        .map(|part| u8::from_str_radix(&part[..2], 16).unwrap())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let hexadecimal = |text: &str| {
            text.bytes()
                .map(|byte| format!("\\x{byte:02x}"))
                .collect::<String>()
        };
        let (db, shm, home) = (
            hexadecimal("/d/a.db"),
            hexadecimal("/d/a.db-shm"),
            hexadecimal("/d"),
        );
        let lines = format!(
            "7  10.000001 pwrite64(3<{db}>, \"\\x01\\xff\", 2, 512) = 2\n\
             8  10.000002 pwrite64(4<{shm}>, \"\\x01\", 1, 0) = 1\n\
             7  10.000003 fsync(3<{db}> <unfinished ...>\n\
             8  10.000004 ftruncate(3<{db}>, 1024 <unfinished ...>\n\
             7  10.000005 <... fsync resumed>) = 0\n\
             8  10.000006 <... ftruncate resumed>) = 0\n\
             8  10.000007 fsync(5<{home}>) = 0\n\
             8  10.000008 unlink(\"{db}\") = 0\n\
             8  10.000009 write(2<{}>, \"\\x41\", 1) = 1\n",
            hexadecimal("pipe:[5]")
        );
        std::fs::write(&trace, lines).unwrap();
        let file = || "a.db".to_owned();
        let changes: Vec<_> = read(&trace, Path::new("/d"), "a.db")
            .into_iter()
            .map(|event| (event.at, event.change))
            .collect();
        assert_eq!(
            changes,
            [
                (
                    10_000_001,
                    Change::Write {
                        file: file(),
                        offset: 512,
                        bytes: vec![1, 255]
                    }
                ),
                (
                    10_000_004,
                    Change::Truncate {
                        file: file(),
                        size: 1024
                    }
                ),
                (
                    10_000_003,
                    Change::Sync {
                        file: file(),
                        events: 1
                    }
                ),
                (10_000_007, Change::SyncFolder),
                (10_000_008, Change::Unlink { file: file() }),
            ]
        );
    }
}
