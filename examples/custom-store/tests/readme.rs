//! The README is true: what it says is typed into the real program, a process for each command.

use std::process::Command;

use sakms_run_readme::Reader;

#[test]
fn the_readme_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = Reader::new().package("sakms-example-custom-store", |arguments, exported| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sakms-example-custom-store"));
        for setting in ["KEYS_FILE", "SAKMS_MASTER_KEY"] {
            command.env_remove(setting);
        }
        let command = command
            .args(arguments)
            .envs(exported)
            .current_dir(folder.path());
        let output = command.output().unwrap();
        // In a terminal there is no telling them apart.
        [output.stdout, output.stderr]
            .map(|text| String::from_utf8(text).unwrap())
            .concat()
    });
    let done = reader.follow(include_str!("../README.md"));
    assert_eq!(done, 9, "every command is found");
    assert!(folder.path().join("keys.redb").exists());
}

#[test]
fn it_is_as_long_as_the_readme_says() {
    let files = [
        include_str!("../src/lib.rs"),
        include_str!("../src/keys.rs"),
        include_str!("../src/lists.rs"),
        include_str!("../src/tables.rs"),
    ];
    let code = files.into_iter().flat_map(str::lines).map(str::trim);
    let code = code.filter(|line| !line.is_empty() && !line.starts_with("//"));
    let said = format!("`src/` has {} lines of code", code.count());
    assert!(include_str!("../README.md").contains(&said), "{said}");
}
