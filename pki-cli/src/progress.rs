//! The progress of long work, in one line on standard error. It disappears when the work is done.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::host;

/// Work that finishes sooner shows no progress.
const PATIENCE: Duration = Duration::from_millis(300);

/// The time between two lines, because terminals are slow.
const INTERVAL: Duration = Duration::from_millis(50);

/// Moves the cursor to the beginning of the line and clears the line (ECMA-48, CR and EL).
const CLEAR: &str = "\r\x1b[2K";

/// The progress of some work. Any thread can advance it.
pub(crate) struct Progress {
    doing: &'static str,
    hosts: usize,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: usize,
    /// When the line was written last, if it is there.
    shown: Option<Instant>,
}

impl Progress {
    /// The progress of an action on a number of hosts. `doing` is the label, such as `making`.
    pub(crate) fn new(doing: &'static str, hosts: usize) -> Self {
        Self { doing, hosts, start: Instant::now(), state: Mutex::default() }
    }

    /// Counts one more host as done.
    pub(crate) fn step(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += 1;
        let now = Instant::now();
        let next = state.shown.map_or(self.start + PATIENCE, |shown| shown + INTERVAL);
        if now >= next && host::is_watched() {
            state.shown = Some(now);
            let line = line(self.doing, state.done, self.hosts, now - self.start);
            host::say(&format!("{CLEAR}{line}"));
        }
    }
}

/// The time that is left is the time per host so far, times the hosts that are left.
fn line(doing: &str, done: usize, hosts: usize, elapsed: Duration) -> String {
    let per_host = elapsed.checked_div(u32::try_from(done).unwrap_or(u32::MAX)).unwrap_or_default();
    let left = u32::try_from(hosts.saturating_sub(done)).unwrap_or(u32::MAX);
    let left = per_host.saturating_mul(left).as_secs();
    format!("{doing} {done}/{hosts} hosts, {left} s left")
}

impl Drop for Progress {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.shown.is_some() {
            host::say(CLEAR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_time_per_host() {
        let line = line("making", 100, 400, Duration::from_secs(5));
        assert_eq!(line, "making 100/400 hosts, 15 s left");
    }

    #[test]
    fn no_number_of_hosts_is_too_large() {
        let line = line("reading", usize::MAX, usize::MAX, Duration::MAX);
        assert!(line.ends_with("hosts, 0 s left"), "{line}");
        super::line("reading", 0, 0, Duration::ZERO);
    }
}
