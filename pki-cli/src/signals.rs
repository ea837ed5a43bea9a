//! Signals: INT, TERM and HUP end the process at once, except while files are being put in place.
//! Then the run continues to the next safe point, where it undoes or finishes what it began.
//!
//! In both cases, the exit code is 128 plus the number of the signal, as in a shell.

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use crate::failure::{Failure, Kind};

/// The signal that arrived last, or 0.
static ARRIVED: AtomicUsize = AtomicUsize::new(0);

/// Whether a signal ends the process at once.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// The number of operations that must not be interrupted.
static UNDER_WAY: Mutex<usize> = Mutex::new(0);

/// Signals that end the process at any point.
static ALWAYS: AtomicBool = AtomicBool::new(true);

/// The process exceeded its file size limit; the write itself returns an error too.
static FILE_TOO_LARGE: AtomicBool = AtomicBool::new(false);

/// Sets up what signals do. Those that the parent process ignores (`nohup`, jobs in the background) stay ignored.
pub(crate) fn catch() {
    let ignored = ignored();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if ignored & (1 << (signal - 1)) != 0 {
            continue;
        }
        // The order matters. A signal that cannot be caught keeps its default action.
        let number = usize::try_from(signal).unwrap_or_default();
        let _ = flag::register_usize(signal, &ARRIVED, number)
            .and_then(|_| flag::register_conditional_shutdown(signal, 128 + signal, &AT_ONCE));
    }
    // A write beyond RLIMIT_FSIZE must fail like any other write.
    let _ = flag::register(SIGXFSZ, &FILE_TOO_LARGE);
    // The standard library reports the failed allocation, and aborts.
    let environment = i32::from(Kind::Environment.exit_code());
    let _ = flag::register_conditional_shutdown(SIGABRT, environment, &ALWAYS);
}

/// The ignored signals, one bit for each.
fn ignored() -> u64 {
    // One read: the kernel writes the whole file again for each.
    let mut status = [0; 4096];
    let read = File::open("/proc/self/status").and_then(|mut file| file.read(&mut status));
    let status = String::from_utf8_lossy(&status[..read.unwrap_or(0)]);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Returns an error if a signal has arrived. Called wherever the run can stop in a consistent state.
pub(crate) fn check() -> Result<(), Failure> {
    match ARRIVED.load(Ordering::SeqCst) {
        0 => Ok(()),
        signal => Err(Failure::interrupted(u8::try_from(signal).unwrap_or_default())),
    }
}

/// While this exists, a signal does not end the process; [`check`] reports it.
#[derive(Debug)]
pub(crate) struct Uninterrupted(());

impl Uninterrupted {
    pub(crate) fn begin() -> Result<Self, Failure> {
        let mut under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
        *under_way += 1;
        AT_ONCE.store(false, Ordering::SeqCst);
        drop(under_way);
        let begun = Self(());
        check()?;
        Ok(begun)
    }
}

impl Drop for Uninterrupted {
    fn drop(&mut self) {
        let mut under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
        *under_way -= 1;
        if *under_way == 0 {
            AT_ONCE.store(true, Ordering::SeqCst);
        }
    }
}
