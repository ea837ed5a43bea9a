//! Finds out why an endpoint rejects our client certificate.

use std::path::Path;

use pki_core::{
    Certificate, EndpointFault, FileKind, Purpose, Report, Severity, Verifier, VerifyOptions,
};

use super::checker::Checker;
use crate::ca::read_certificates;
use crate::endpoint::Answer;
use crate::failure::shown;

/// The client certificate that is presented to endpoints, with the CAs that follow it in its file.
pub(super) struct ClientCertificate {
    chain: Vec<Certificate>,
}

impl ClientCertificate {
    pub(super) const fn new(chain: Vec<Certificate>) -> Self {
        Self { chain }
    }

    /// The fault that a rejection shows, and the evidence. `answer` is how the endpoint rejected, and `refused` the same as
    /// text; `served` is the certificate that it serves, and `issued` the file in its host's folder that should contain
    /// the same.
    pub(super) fn blame(
        &self,
        checker: &Checker,
        answer: &Answer,
        refused: &str,
        served: Option<&Certificate>,
        issued: Option<&Path>,
    ) -> (EndpointFault, String) {
        let by_fault = |why: String| (EndpointFault::RefusesClient, format!("{refused}; {why}"));
        // This alert is about the server's own files.
        let is_about_client = !matches!(answer, Answer::Alert(alert) if alert == "internal_error");
        let Some(client) = self.chain.first().filter(|_| is_about_client) else {
            return (EndpointFault::RefusesClient, refused.to_owned());
        };
        let subject = &client.subject;
        let has_alert = matches!(answer, Answer::Alert(_));
        let stale =
            issued.filter(|issued| has_alert && serves(served, issued)).and_then(|issued| {
                let file = issued.with_file_name(&*FileKind::TrustedCas.name());
                let verifier = Verifier::builder(read_certificates(&file).ok()?).build().ok()?;
                fault(&self.report(&verifier, checker)).is_none().then_some(file)
            });
        if let Some(file) = stale {
            let evidence = format!(
                "{refused}, but {subject} is valid under {}, and it serves the certificate that is in the same folder",
                shown(&file)
            );
            return (EndpointFault::StaleTrust, evidence);
        }
        let report = self.report(&checker.verifier, checker);
        // The alert can be lost when the server closes the connection.
        if let Some(why) = fault(&report) {
            return by_fault(format!("the client certificate is at fault: {why}"));
        }
        let by = report.path().anchor().map(|ca| ca.subject.to_string()).unwrap_or_default();
        by_fault(if has_alert {
            format!(
                "the client certificate {subject} is valid under {by}, so the server is at fault: it does not trust that CA"
            )
        } else {
            format!(
                "the client certificate {subject} is valid under {by}, so the server rejects it by a rule of its own: on a \
                 peer port of etcd because none of its names belongs to this machine, otherwise because of a CRL or an allowed \
                 name"
            )
        })
    }

    fn report(&self, verifier: &Verifier, checker: &Checker) -> Report {
        let mut options = VerifyOptions::at(checker.options.at);
        options.purpose = Purpose::Client;
        verifier.check(&self.chain[0], &self.chain[1..], &options)
    }
}

/// The first error of a report.
fn fault(report: &Report) -> Option<String> {
    let mut errors = report.findings().filter(|finding| finding.severity == Severity::Error);
    let finding = errors.next()?;
    Some(format!("[{}] {}: {}", finding.rule.id, finding.subject, finding.evidence))
}

fn serves(served: Option<&Certificate>, issued: &Path) -> bool {
    let there = read_certificates(issued).ok();
    let there = there.as_deref().and_then(<[Certificate]>::first);
    served.is_some() && served == there
}
