//! Programs that must end by themselves, and soon.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::lab::Run;

/// How long anything may take before it counts as stuck. This machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long to sleep between two looks.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// Runs a program that says little (less than a pipe holds) to its end.
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
            panic!("{command:?} did not end within {PATIENCE:?}; it said: {said}");
        }
        sleep(PAUSE);
    }
    child.wait_with_output().unwrap().into()
}
