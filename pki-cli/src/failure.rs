//! Why a command failed, what to do about it, and the exit code that says so.

use std::fmt::{self, Write as _};
use std::io::{self, ErrorKind};
use std::path::Path;

use pki_core::{Error, Finding, Input, quote};

/// The kinds of failure, each with its exit code. 0 is success.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// Findings, or refused by the rules.
    Refused,
    /// The command line or an input file is wrong.
    Usage,
    /// A problem with the environment: files, locks, signers.
    Environment,
    /// A bug in etcdpki.
    Bug,
    /// A signal of this number ended the run.
    Interrupted(u8),
}

impl Kind {
    /// The exit code of a command that fails with this kind.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Environment => 3,
            Self::Bug => 70,
            Self::Interrupted(signal) => 128 + signal,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Environment => "environment",
            Self::Bug => "bug",
            Self::Interrupted(_) => "interrupted",
        }
    }
}

/// A failed operation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The kind, which decides the exit code.
    pub kind: Kind,
    /// A sentence fragment that names file, field and value.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The findings, if the rules refused.
    pub findings: Vec<Finding>,
    /// Every mistake, for an input that can have several.
    pub mistakes: Vec<Error>,
    /// The input of the core that a value came from, if the failure is about a value.
    pub input: Option<Input>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = quote::sentence(&message.into());
        Self { kind, message, hint: None, findings: Vec::new(), mistakes: Vec::new(), input: None }
    }

    /// Several mistakes in one input. `place` says where: `in the manifest`.
    pub(crate) fn mistakes(mistakes: Vec<Error>, place: &str) -> Self {
        let count = match mistakes.len() {
            1 => "1 mistake".to_owned(),
            number => format!("{number} mistakes"),
        };
        Self { mistakes, ..Self::usage(format!("{count} {place}")) }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    pub(crate) fn environment(message: impl Into<String>) -> Self {
        Self::new(Kind::Environment, message)
    }

    /// The run stopped because of a signal.
    pub(crate) fn interrupted(signal: u8) -> Self {
        let name = match signal {
            1 => "SIGHUP",
            2 => "SIGINT",
            _ => "SIGTERM",
        };
        Self::new(Kind::Interrupted(signal), format!("interrupted by {name}"))
            .hinted("nothing was left half done; run it again")
    }

    /// An operation on a file that the operating system refused.
    pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let says = error.to_string();
        // tempfile appends the name of a file that no longer exists.
        let says = says.split(" at path ").next().unwrap_or_default();
        let failure = Self::environment(format!("{doing} {}: {says}", shown(path)));
        let hint = match error.kind() {
            ErrorKind::InvalidFilename => "choose a shorter name",
            ErrorKind::IsADirectory => "name a file in it",
            ErrorKind::NotADirectory => "a file stands where a folder belongs; check the path",
            ErrorKind::NotFound => "check the path",
            ErrorKind::PermissionDenied => "run as the owner of the files",
            ErrorKind::ReadOnlyFilesystem => "mount the file system writable, or write elsewhere",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "make room on the disk, then run this again"
            }
            _ => return failure,
        };
        failure.hinted(hint)
    }

    #[must_use]
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(quote::sentence(&hint.into()));
        self
    }

    /// The same failure. If it is about `input`, its hint names the option that gives it.
    #[must_use]
    pub(crate) fn naming(mut self, input: Input, option: &str) -> Self {
        if let (Some(hint), true) = (&mut self.hint, self.input == Some(input)) {
            *hint = format!("{hint} ({option})");
        }
        self
    }

    /// The same failure, and what it is about.
    #[must_use]
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = quote::sentence(&format!("{what}: {}", self.message));
        self
    }

    /// Several failures as one, with the kind of the worst: that of the highest exit code. There is at least one.
    pub(crate) fn joined(mut failures: Vec<Self>) -> Self {
        if failures.len() == 1 {
            return failures.remove(0);
        }
        let mut joined = Self::usage(format!("{} problems:", failures.len()));
        let kinds = failures.iter().map(|failure| failure.kind);
        joined.kind = kinds.max_by_key(|kind| kind.exit_code()).unwrap_or(Kind::Bug);
        for failure in failures {
            let _ = write!(joined.message, "\n  {}", failure.message);
            if let Some(hint) = failure.hint {
                let _ = write!(joined.message, "\n    fix: {hint}");
            }
            joined.findings.extend(failure.findings);
        }
        joined
    }

    /// The same failure, about the value of this flag.
    #[must_use]
    pub(crate) fn in_flag(mut self, flag: &str) -> Self {
        self.message = format!("{flag}: {}", self.message);
        self
    }

    /// The same failure, about something in this file.
    #[must_use]
    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        let file = if path == Path::new("-") { Path::new("standard input") } else { path };
        self.message = format!("{}: {}", shown(file), self.message);
        self
    }
}

/// What to do if a signer fails.
const SIGNER_HINT: &str = "check the token, or run the signer command by hand; if the key is ca-key.pem, unset ETCDPKI_PKCS11 and \
    ETCDPKI_SIGNER_CMD; nothing was issued";

/// A path for people.
pub(crate) fn shown(path: &Path) -> String {
    quote::name(&path.display().to_string())
}

/// The full path of a file or folder, for people who may not know the current folder.
pub(crate) fn full(path: &Path) -> String {
    shown(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::NotAdmitted(_) | Error::Refused(_) => Kind::Refused,
            Error::Signer(_) => Kind::Environment,
            Error::Internal(_) => Kind::Bug,
            _ => Kind::Usage,
        };
        let hint = match &error {
            Error::Signer(_) => Some(SIGNER_HINT.to_owned()),
            error => error.hint().map(str::to_owned),
        };
        let input = error.input();
        let (message, findings) = match error {
            Error::Several(mistakes) => return Self::mistakes(mistakes, "in the file"),
            Error::Refused(findings) => ("refused by the rules".to_owned(), findings),
            error => (error.to_string(), Vec::new()),
        };
        Self { kind, message, hint, findings, mistakes: Vec::new(), input }
    }
}
