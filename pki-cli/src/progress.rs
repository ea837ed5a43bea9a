//! A bar on standard error for work that takes longer than a blink, and nothing of it afterwards.

use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::host;

/// What is over sooner than this needs no bar.
const BLINK: Duration = Duration::from_millis(300);

/// So much of some work is done. Any thread may tell.
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    shown: Once,
}

impl Progress {
    /// Work on so many hosts: `making`.
    pub(crate) fn new(doing: &'static str, hosts: usize) -> Self {
        let bar = ProgressBar::with_draw_target(
            Some(u64::try_from(hosts).unwrap_or(u64::MAX)),
            ProgressDrawTarget::hidden(),
        );
        bar.set_message(doing);
        Self { bar, start: Instant::now(), shown: Once::new() }
    }

    /// One more host is done.
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
