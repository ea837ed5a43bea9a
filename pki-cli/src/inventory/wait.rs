//! Waiting for another program that uses the inventory.

use std::time::{Duration, Instant};

use crate::host;

/// How long a command has waited for another one.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    start: Instant,
    said: bool,
}

impl Wait {
    pub(super) fn begin() -> Self {
        Self { start: Instant::now(), said: false }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Whether to go on. Says after a second what is waited for.
    pub(super) fn goes_on(&mut self) -> bool {
        const QUIET: Duration = Duration::from_secs(1);
        const PATIENCE: Duration = Duration::from_secs(10);
        if !self.said && self.start.elapsed() >= QUIET {
            self.said = true;
            host::say("waiting: another program writes to the inventory\n");
        }
        self.start.elapsed() < PATIENCE
    }
}
