//! What cfssl prints: a certificate, a request and a key in PEM, as JSON on one line.

use pki_core::Zeroizing;
use serde::{Serialize, Serializer};

use super::log::Log;
use crate::failure::Failure;
use crate::host;

/// The fields in cfssl's order. What a command does not create is left out.
#[derive(Default, Serialize)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cert: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) csr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_place")]
    pub(super) key: Option<Zeroizing<String>>,
}

/// Writes a secret without making a copy of it.
#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn in_place<S: Serializer>(secret: &Option<Zeroizing<String>>, to: S) -> Result<S::Ok, S::Error> {
    secret.as_deref().serialize(to)
}

impl Answer {
    /// Prints the answer, unless warnings are errors and there was a warning.
    pub(super) fn print(&self, log: &Log) -> Result<(), Failure> {
        log.check_strict()?;
        host::print_raw(&self.to_line()?)
    }

    fn to_line(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let parts =
            [self.cert.as_deref(), self.csr.as_deref(), self.key.as_ref().map(|key| key.as_str())];
        let length: usize =
            parts.iter().flatten().map(|part| part.len() + part.lines().count()).sum();
        // Large enough for the whole line: a buffer that grows leaves copies of the key behind.
        let mut line = Zeroizing::new(Vec::with_capacity(length + 64));
        serde_json::to_writer(&mut *line, self)
            .map_err(|error| Failure::bug(format!("writing the answer: {error}")))?;
        line.push(b'\n');
        Ok(line)
    }
}
