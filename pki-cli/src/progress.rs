//! A progress bar on standard error for long work. It disappears when the work is done.

use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::host;

/// Work that finishes sooner needs no progress bar.
const BLINK: Duration = Duration::from_millis(300);

/// The progress of some work. Any thread can advance it.
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    shown: Once,
}

impl Progress {
    /// The progress of an action on a number of hosts. `doing` is the label, such as `making`.
    pub(crate) fn new(doing: &'static str, hosts: usize) -> Self {
        let bar = ProgressBar::with_draw_target(
            Some(u64::try_from(hosts).unwrap_or(u64::MAX)),
            ProgressDrawTarget::hidden(),
        );
        bar.set_message(doing);
        Self { bar, start: Instant::now(), shown: Once::new() }
    }

    /// Counts one more host as done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        if self.start.elapsed() > BLINK {
            self.shown.call_once(|| self.show());
        }
    }

    fn show(&self) {
        if !host::is_watched() {
            return;
        }
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} hosts, {eta} left");
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
