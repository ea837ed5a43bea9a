//! Programs that must exit by themselves within a short time.

use std::io::{Read, Write, stderr};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::lab::Run;

/// How long anything may take before it counts as stuck. The machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long to sleep between two checks.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// Runs a program until it exits. Its output must fit into a pipe's buffer.
pub(crate) fn finish(command: &mut Command) -> Run {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            let mut said = String::new();
            let _ = child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
            panic!("{command:?} did not exit within {PATIENCE:?}; its output: {said}");
        }
        sleep(PAUSE);
    }
    child.wait_with_output().unwrap().into()
}

/// Prints a line also if the test passes and its output is captured.
pub(crate) fn tell(line: &str) {
    // With a single write, because other tests also print.
    let _ = stderr().write_all(format!("\n{line}\n").as_bytes());
}
