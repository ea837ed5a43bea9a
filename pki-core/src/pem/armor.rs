//! What surrounds the contents of a block: the marks of its first and last line, its labels, and its base64.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

pub(super) const BEGIN: &str = "-----BEGIN ";
pub(super) const DASHES: &str = "-----";
pub(super) const END: &str = "-----END ";

/// The labels of blocks that hold no secret.
pub(super) const PUBLIC: [&str; 5] =
    ["CERTIFICATE", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "PUBLIC KEY", "X509 CRL"];

/// The base64 in these parts. It is decoded in one buffer, which is wiped, because it may be a key.
pub(super) fn decode<'t>(
    size: usize,
    parts: impl Iterator<Item = &'t [u8]>,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut der = Zeroizing::new(Vec::with_capacity(size));
    parts.for_each(|part| der.extend_from_slice(part));
    let length = Base64::decode_in_place(&mut der).ok()?.len();
    der.truncate(length);
    Some(der)
}
