//! Programs that must exit by themselves within a short time.

use std::io::{Read, Write, stderr};
use std::process::{Command, Output, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use crate::lab::Run;

/// How long anything may take before it counts as stuck. The machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long to sleep between two checks.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// Runs a program until it exits.
pub(crate) fn finish(command: &mut Command) -> Run {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A pipe that nobody reads stops a program that writes more than 64 KiB.
    let stdout = drain(child.stdout.take().unwrap());
    let stderr = drain(child.stderr.take().unwrap());
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            let said = String::from_utf8_lossy(&stderr.join().unwrap()).into_owned();
            panic!("{command:?} did not exit within {PATIENCE:?}; its output: {said}");
        }
        sleep(PAUSE);
    };
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }.into()
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Prints a line also if the test passes and its output is captured.
pub(crate) fn tell(line: &str) {
    // With a single write, because other tests also print.
    let _ = stderr().write_all(format!("\n{line}\n").as_bytes());
}
