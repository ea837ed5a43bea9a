//! cfssl's log on standard error, which scripts read: `DATE TIME [LEVEL] text`, in local time.

use time::OffsetDateTime;
use time::macros::format_description;

use crate::failure::printable;
use crate::host;

/// How much a line matters. `-loglevel` hides the lines below its number.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Level {
    Info = 1,
    Warning = 2,
    Error = 3,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// The log of one run.
#[derive(Debug)]
pub(super) struct Log {
    lowest: i64,
    offset: time::UtcOffset,
}

impl Log {
    /// Shows lines from this level on; cfssl's default is 1.
    pub(super) fn new(lowest: i64) -> Self {
        // Go falls back to UTC too where it does not know the zone.
        let offset = time::UtcOffset::current_local_offset().unwrap_or(time::UtcOffset::UTC);
        Self { lowest, offset }
    }

    /// A line that cfssl writes too, in its words.
    pub(super) fn info(&self, text: &str) {
        if self.lowest <= Level::Info as i64 {
            self.write(Level::Info, text);
        }
    }

    /// A line that cfssl writes too, in its words.
    pub(super) fn warning_of_cfssl(&self, text: &str) {
        if self.lowest <= Level::Warning as i64 {
            self.write(Level::Warning, text);
        }
    }

    /// A difference from what cfssl would have made. It is shown at every level.
    pub(super) fn difference(&self, text: &str) {
        self.write(Level::Warning, text);
    }

    /// Why there is no result.
    pub(super) fn error(&self, text: &str) {
        self.write(Level::Error, text);
    }

    fn write(&self, level: Level, text: &str) {
        let format = format_description!("[year]/[month]/[day] [hour]:[minute]:[second]");
        let now: OffsetDateTime = host::now().to_offset(self.offset);
        let now = now.format(format).unwrap_or_default();
        host::say(&format!("{now} [{}] {}\n", level.as_str(), printable(text)));
    }
}
