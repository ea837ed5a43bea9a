//! The programs of cfssl, by the names that scripts call.

use std::ffi::OsStr;
use std::path::Path;

/// A program of cfssl.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    Cfssl,
    Cfssljson,
    Certinfo,
}

impl Program {
    /// The names that scripts call, each with its program. `cfssl-json` is Debian's earlier name.
    pub(super) const NAMES: [(&'static str, Self); 4] = [
        ("cfssl", Self::Cfssl),
        ("cfssljson", Self::Cfssljson),
        ("cfssl-json", Self::Cfssljson),
        ("cfssl-certinfo", Self::Certinfo),
    ];

    /// The program that a process with this first argument replaces.
    pub(crate) fn called(program: &OsStr) -> Option<Self> {
        let name = Path::new(program).file_name()?;
        Self::NAMES.iter().find(|(known, _)| name == *known).map(|(_, program)| *program)
    }
}
