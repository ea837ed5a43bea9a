//! What cfssl's flags and arguments name: a file, a variable of the environment, standard input.

use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::host;
use crate::store;

/// Reads the value of `-ca`, `-ca-key` or `-key`: `FILE`, `file:FILE` or `env:VARIABLE`.
///
/// Other users may be able to read a key here, as with cfssl; the caller warns of it.
pub(super) fn read(name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match name.split_once(':') {
        Some(("env", variable)) => host::variable(variable).ok_or_else(|| {
            Failure::usage(format!("env:{variable}: no such environment variable"))
                .hinted(format!("export {variable} with the PEM text"))
        }),
        Some(("file", path)) => store::read(Path::new(path)),
        // cfssl knows no other prefix and refuses such names of files.
        Some((prefix, _)) if !Path::new(name).exists() => {
            Err(Failure::usage(format!("unknown prefix {prefix:?} in {name:?}"))
                .hinted("write file:FILE or env:VARIABLE"))
        }
        _ => store::read(Path::new(name)),
    }
}

/// The path of a file that a flag names, if it names one.
pub(super) fn path(name: &str) -> Option<&Path> {
    match name.split_once(':') {
        Some(("env", _)) => None,
        Some(("file", path)) => Some(Path::new(path)),
        _ => Some(Path::new(name)),
    }
}
