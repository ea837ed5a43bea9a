//! What every certificate is held against, whatever it was read from.

use std::path::Path;

use pki_core::{Certificate, Verifier, VerifyOptions};

use super::ignore::Exceptions;
use super::{VerifyArgs, options};
use crate::failure::Failure;
use crate::output::verdict::Judged;

pub(super) struct Checker {
    pub(super) verifier: Verifier,
    pub(super) options: VerifyOptions,
    pub(super) exceptions: Exceptions,
}

impl Checker {
    /// `folder` is that of the CA.
    pub(super) fn new(
        args: &VerifyArgs,
        folder: &Path,
        exceptions: Exceptions,
    ) -> Result<Self, Failure> {
        let anchors = options::anchors(args, folder)?;
        let verifier = options::verifier(args, anchors)?;
        Ok(Self { verifier, options: options::options(args)?, exceptions })
    }

    /// Judges the first certificate; the others may stand above it.
    pub(super) fn check(
        &self,
        leaf: &Certificate,
        chain: &[Certificate],
        options: &VerifyOptions,
    ) -> Judged {
        let (path, findings) = self.verifier.check(leaf, chain, options).into_parts();
        Judged { path: Some(path), endpoint: None, found: self.exceptions.apply(findings) }
    }
}
