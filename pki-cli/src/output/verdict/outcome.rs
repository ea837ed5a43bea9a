//! One input that was verified, and its outcome.

use std::path::PathBuf;

use pki_core::{CertificationPath, Finding, Severity, Trust};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::facts::moment;

/// An input that was verified, and the result.
pub(crate) struct Outcome {
    /// The file as the user named it, or `HOST:PORT`.
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) result: Result<Verified, Failure>,
}

/// Where a finding is shown.
pub(crate) enum Location {
    File(PathBuf),
    /// Standard input or a live endpoint, which no editor can open.
    Elsewhere,
}

/// A verified certificate, or another file of a host.
pub(crate) struct Verified {
    /// The path of the certificate and whether it is trusted; `None` for a file that should contain no certificate, and for
    /// an endpoint that served none.
    pub(crate) path: Option<CertificationPath>,
    /// How a live endpoint behaved.
    pub(crate) endpoint: Option<EndpointFacts>,
    /// The findings apart from the path, worst first.
    pub(crate) found: Vec<ReportedFinding>,
}

/// How a live endpoint behaved, under stable names.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EndpointFacts {
    /// The address that answered.
    pub(crate) address: String,
    pub(crate) server_name: String,
    /// `TLSv1.2` or `TLSv1.3`; `None` if no session was established.
    pub(crate) tls_version: Option<&'static str>,
    /// `not-asked`, `optional`, `required`, `accepted`, `refused` or `unknown`.
    pub(crate) client_certificate: &'static str,
}

/// A finding, and why it is ignored, if it is.
pub(crate) struct ReportedFinding {
    pub(crate) finding: Finding,
    pub(crate) ignored: Option<String>,
}

impl Verified {
    /// Whether the outcome is ok. Trust counts, whatever is ignored, and so an endpoint that served no certificate is
    /// not ok.
    pub(crate) fn is_ok(&self) -> bool {
        let trusted = match &self.path {
            Some(path) => path.is_trusted(),
            None => self.endpoint.is_none(),
        };
        trusted && self.count(Severity::Error) == 0
    }

    /// The trust, as one word and as a sentence; `None` for a file that should contain no certificate.
    pub(super) fn trust(&self) -> Option<(&'static str, String)> {
        let path = self.path.as_ref()?;
        Some(match path.trust() {
            Trust::Accepted => (
                "accepted",
                match path.anchor() {
                    Some(anchor) => format!("accepted by {}", anchor.subject),
                    None => "accepted".to_owned(),
                },
            ),
            Trust::Refused(why) => {
                ("refused", format!("refused: {}: {}", why.subject, why.evidence))
            }
        })
    }

    /// When the certificate ends.
    pub(super) fn not_after(&self) -> Option<String> {
        let leaf = self.path.as_ref().and_then(CertificationPath::leaf);
        leaf.map(|leaf| moment(leaf.not_after))
    }

    pub(super) fn count(&self, severity: Severity) -> usize {
        self.counting().filter(|finding| finding.severity == severity).count()
    }

    /// The findings that count: why the path is not trusted, and those that are not ignored.
    pub(super) fn counting(&self) -> impl Iterator<Item = &Finding> {
        self.all().filter(|(_, ignored)| ignored.is_none()).map(|(finding, _)| finding)
    }

    pub(super) fn ignored(&self) -> impl Iterator<Item = (&Finding, &str)> {
        self.all().filter_map(|(finding, ignored)| Some((finding, ignored?)))
    }

    /// Every finding, and the reason if it is ignored. The reason why the path is not trusted comes first, unless a finding
    /// that counts explains it.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Finding, Option<&str>)> {
        let explained = |refusal: &&Finding| {
            let mut counting = self.found.iter().filter(|found| found.ignored.is_none());
            counting.any(|found| found.finding.explains(refusal))
        };
        let refusal = self.path.as_ref().and_then(CertificationPath::refusal);
        let refusal = refusal.filter(|refusal| !explained(refusal));
        let found = self.found.iter().map(|found| (&found.finding, found.ignored.as_deref()));
        refusal.map(|finding| (finding, None)).into_iter().chain(found)
    }
}
