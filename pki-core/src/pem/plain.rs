//! PEM in the form that writers use (RFC 7468 section 3): without blanks and headers, in lines of one length, and with the
//! padding of the base64.
//!
//! Every reader accepts this form, Go included, and almost every file has it.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::armor::{BEGIN, DASHES, END, PUBLIC, decode};

/// A block in the plain form.
pub(super) struct PlainBlock<'t> {
    pub(super) label: &'t str,
    pub(super) der: Zeroizing<Vec<u8>>,
    /// The text after it.
    pub(super) rest: &'t str,
}

impl<'t> PlainBlock<'t> {
    /// Reads the block at the beginning of `text`, if it is in this form.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let (first, rest) = text.strip_prefix(BEGIN)?.split_once('\n')?;
        let label = without_cr(first).strip_suffix(DASHES)?;
        // No dash is a digit of base64, so the first one begins the END line.
        let (body, end) = rest.split_at(rest.find('-')?);
        let behind = end.strip_prefix(END)?.strip_prefix(label)?.strip_prefix(DASHES)?;
        let (nothing, rest) = behind.split_once('\n').unwrap_or((behind, ""));
        let ends = without_cr(nothing).is_empty() && (nothing.is_empty() || behind.contains('\n'));
        if label.contains('-') || !ends || !(body.is_empty() || body.ends_with('\n')) {
            return None;
        }
        let der = if PUBLIC.contains(&label) {
            decode_public(body.as_bytes())
        } else {
            decode(body.len(), body.split('\n').map(|line| without_cr(line).as_bytes()))
        };
        Some(Self { label, der: der?, rest })
    }
}

/// The base64 in lines of one length, of which the last may be shorter. It contains no secret, so reading it may take longer
/// for some octets than for others.
fn decode_public(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let width = body.iter().position(|byte| *byte == b'\n')? + 1;
    let mut base64 = Vec::with_capacity(body.len());
    for line in body.chunks(width) {
        let line = line.strip_suffix(b"\n")?;
        base64.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    BASE64.decode(&base64).ok().map(Zeroizing::new)
}

fn without_cr(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}
