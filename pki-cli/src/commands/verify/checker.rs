//! What every certificate is held against, whatever it was read from.

use std::path::Path;

use pki_core::{Certificate, Verifier, VerifyOptions};

use super::ignore::Exceptions;
use super::{VerifyArgs, options};
use crate::failure::Failure;
use crate::output::facts::moment;
use crate::output::verdict::Judged;

pub(super) struct Checker {
    pub(super) verifier: Verifier,
    /// The subjects of those who are trusted.
    anchors: Vec<String>,
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
        let subjects = anchors.iter().map(|anchor| anchor.subject.to_string()).collect();
        Ok(Self {
            verifier: options::verifier(args, anchors)?,
            anchors: subjects,
            options: options::options(args)?,
            exceptions,
        })
    }

    /// Judges the first certificate; the others may stand above it.
    pub(super) fn check(&self, certificates: &[Certificate], options: &VerifyOptions) -> Judged {
        let Some((leaf, chain)) = certificates.split_first() else { return Judged::default() };
        let report = self.verifier.check(leaf, chain, options);
        // A path of one is no path: no CA was found, whatever is called like the leaf.
        let last = report.path.last().filter(|_| report.path.len() > 1);
        // Behind a CA that stands before it the leaf is another than the first.
        let by_name =
            |first: &String| certificates.iter().find(|one| one.subject.to_string() == *first);
        let judged = report.path.first().filter(|_| !chain.is_empty()).and_then(by_name);
        Judged {
            anchored: last.is_some_and(|last| self.anchors.contains(last)),
            path: report.path,
            limit: report.limit,
            not_after: Some(moment(judged.unwrap_or(leaf).not_after)),
            endpoint: None,
            found: self.exceptions.apply(report.findings),
        }
    }
}
