//! The errors of a PKCS #11 library, in words.

use cryptoki::error::Error;

use crate::failure::Failure;
use crate::signer::uri::TokenUri;

/// A failure to use a token.
pub(super) fn failed(uri: &TokenUri, error: &Error) -> Failure {
    Failure::environment(format!("{uri}: {}", describe(error)))
        .hinted("check that the token is present and supports the algorithm of the key")
}

/// The library's own messages explain every error code in paragraphs.
pub(super) fn describe(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("{function} failed with {code:?}"),
        other => other.to_string(),
    }
}
