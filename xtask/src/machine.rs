//! What the figures were measured on.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use crate::run::capture;

/// One line about processor, memory, system, compiler and date. What cannot be found out is left out.
pub(crate) fn describe() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        let (_, value) = line.split_once([':', '='])?;
        Some(value.trim().trim_matches('"').to_owned())
    };
    let said = |program: &str, arguments: &[&str]| {
        let said = capture(Command::new(program).args(arguments)).ok()?;
        Some(said.trim().to_owned())
    };
    let cores = available_parallelism()
        .map(|cores| format!("{cores} cores"))
        .ok();
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| gibibytes(&text));
    let parts = [
        field("/proc/cpuinfo", "model name"),
        cores,
        memory,
        field("/etc/os-release", "PRETTY_NAME"),
        said("uname", &["-sr"]),
        said("rustc", &["--version"]),
        said("date", &["-u", "+%Y-%m-%d"]),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How many processes want to run, on average over the last minute.
pub(crate) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Whether so many processes leave too little to measure with: a core has to be free for the server, one for its client.
pub(crate) fn is_busy(load: f64) -> bool {
    load > 0.5
}

fn gibibytes(kibibytes: &str) -> Option<String> {
    let number: u64 = kibibytes.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{} GiB", (number + (1 << 19)) >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_in_gibibytes() {
        assert_eq!(gibibytes("24684532 kB").as_deref(), Some("24 GiB"));
        assert_eq!(gibibytes("many"), None);
    }

    #[test]
    fn the_compiler_is_known_wherever_this_was_built() {
        assert!(describe().contains("rustc 1."), "{}", describe());
    }
}
