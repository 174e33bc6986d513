//! Running child processes so that none outlives the command.

use std::ffi::OsStr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::failure::{Attempt, Failure, Outcome};
use crate::{report, signals};

/// How often a waiting loop looks up.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// How long a child may take to end on request. The test runner itself gives
/// its tests ten seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a command to its end and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = status(command, None)?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` failed ({status})",
        line(command)
    )))
}

/// Runs a command to its end, or stops it at an interruption or after `limit`.
pub(crate) fn status(command: &mut Command, limit: Option<Duration>) -> Outcome<ExitStatus> {
    let begun = report::now();
    let mut group = Group::spawn(command)?;
    loop {
        if let Some(status) = group.ended()? {
            return Ok(status);
        }
        // Leaving drops the group, which stops what still runs.
        signals::check()?;
        if limit.is_some_and(|limit| begun.elapsed() > limit) {
            let seconds = begun.elapsed().as_secs();
            return Err(Failure::new(format!(
                "`{}` did not end within {seconds} s",
                line(command)
            )));
        }
        thread::sleep(TICK);
    }
}

/// Runs a short command and gives what it wrote to standard output.
pub(crate) fn capture(command: &mut Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .attempt(|| format!("cannot run `{}`", line(command)))?;
    signals::check()?;
    if !output.status.success() {
        let cause = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "`{}` failed ({})\n{}",
            line(command),
            output.status,
            cause.trim_end()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A child process in a process group of its own, stopped when dropped.
///
/// The group keeps a ctrl-c in the terminal from reaching the child before
/// this process decided what ends in which order: a database must outlive the
/// tests that use it.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Starts the command. It has no input.
    pub(crate) fn spawn(command: &mut Command) -> Outcome<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .attempt(|| format!("cannot run `{}`", line(command)))?;
        Ok(Self { child })
    }

    /// How the child ended, if it did.
    pub(crate) fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        self.child
            .try_wait()
            .attempt(|| "cannot wait for a child".to_owned())
    }

    fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn stop(&mut self) {
        if !self.running() {
            return;
        }
        // A negative id means the whole group.
        let group = format!("-{}", self.child.id());
        send("TERM", [&group]);
        let begun = report::now();
        while self.running() && begun.elapsed() < PATIENCE {
            thread::sleep(TICK);
        }
        if self.running() {
            send("KILL", [&group]);
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends a signal to processes. The shell's own `kill` is used because the
/// program of that name is missing on small systems.
pub(crate) fn send<I: AsRef<OsStr>>(signal: &str, ids: impl IntoIterator<Item = I>) {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        r#"signal=$1; shift; kill -s "$signal" -- "$@""#,
        "sh",
        signal,
    ]);
    // A process that is gone already is what was wanted.
    let _ = command.args(ids).stderr(Stdio::null()).status();
}

/// A command as a person would type it.
fn line(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failing_command_is_named_in_the_failure() {
        let failure = run(&mut shell("exit 3")).unwrap_err().to_string();
        assert!(
            failure.contains("`sh -c exit 3` failed (exit status: 3)"),
            "{failure}"
        );
    }

    #[test]
    fn a_missing_program_is_a_failure() {
        assert!(run(&mut Command::new("sakms-no-such-program")).is_err());
    }

    #[test]
    fn a_command_over_its_limit_is_stopped_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let late = folder.path().join("late");
        let script = format!("(sleep 1; touch '{}') & wait", late.display());
        let failure = status(&mut shell(&script), Some(Duration::from_millis(300))).unwrap_err();
        assert!(failure.to_string().contains("did not end"), "{failure}");

        thread::sleep(Duration::from_millis(1_500));
        assert!(!late.exists(), "the child of the child went on");
    }

    #[test]
    fn a_child_that_ended_by_itself_is_left_alone() {
        let mut group = Group::spawn(&mut shell("exit 0")).unwrap();
        while group.ended().unwrap().is_none() {
            thread::sleep(TICK);
        }
        drop(group);
    }
}
