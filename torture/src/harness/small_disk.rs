//! A file system with little room, in memory.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sakms_core::testkit::skipped;

/// A mounted file system, until it is dropped. Only root may mount one.
#[derive(Debug)]
pub struct SmallDisk {
    // Declared first: the folder cannot go while it is mounted.
    mount: Mount,
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Mount(PathBuf);

impl SmallDisk {
    /// So many MiB of room, or `None` after saying that this is skipped.
    #[must_use]
    pub fn mount(mebibytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("disk");
        fs::create_dir(&place).unwrap();
        let options = format!("size={mebibytes}m,mode=0755");
        if !mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], &place) {
            skipped("tmpfs", "no file system may be mounted here");
            return None;
        }
        Some(Self {
            mount: Mount(place),
            _folder: folder,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mount.0
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        let block = vec![0; 1 << 16];
        let mut size = block.len();
        while size > 0 {
            // What fits is written, also of a block that does not fit.
            if filler.write_all(&block[..size]).is_err() {
                size /= 2;
            }
        }
    }

    /// Gives it back.
    pub fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    /// Lets nothing be written, or lets it again. No file may be open for writing then.
    #[must_use]
    pub fn set_read_only(&self, read_only: bool) -> bool {
        let options = if read_only {
            "remount,ro"
        } else {
            "remount,rw"
        };
        mount(&["-o", options], self.path())
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

fn mount(arguments: &[&str], place: &Path) -> bool {
    let mounted = Command::new("mount").args(arguments).arg(place).output();
    mounted.is_ok_and(|output| output.status.success())
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a server that is being killed may still have it open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
