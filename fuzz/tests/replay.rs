//! Every input that was kept, in an ordinary build: what a fuzzer once found stays mended.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::fs;
use std::path::{Path, PathBuf};

/// The files of a folder; none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn replay(name: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (_, run) = sakms_fuzz::TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let kept = files(&here.join("corpus").join(name));
    assert!(!kept.is_empty(), "{name} has no corpus");
    for file in kept
        .into_iter()
        .chain(files(&here.join("regressions").join(name)))
    {
        let data = fs::read(&file).unwrap();
        // So that a panic is told with the file that brings it about.
        let outcome = std::panic::catch_unwind(|| run(&data));
        assert!(outcome.is_ok(), "{}", file.display());
    }
}

macro_rules! replay {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn no_target_is_left_out() {
            let replayed = [$(stringify!($name)),*];
            let targets: Vec<_> = sakms_fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(targets, replayed);
            let programs = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin"));
            let programs = programs.iter().map(|path| path.file_stem().unwrap().to_str().unwrap());
            let mut targets = targets;
            targets.sort_unstable();
            assert_eq!(programs.collect::<Vec<_>>(), targets);
        }
    };
}

replay! { key_text token stored_hash stored_row cursor credentials email body requirement forwarded }
