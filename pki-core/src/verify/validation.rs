//! One validation of a leaf certificate, which all searches for a path share: its inputs, a path, and the best report so far.

use super::verifier::Verifier;
use crate::certificate::Certificate;
use crate::evidence::Evidence;
use crate::finding::{Finding, Rule, Severity};
use crate::report::{
    CertificationPath, PathCertificate, PathLimit, Place, Report, SignatureStatus, Trust,
};
use crate::rules::{self, CertificateInPath, OwnViolations, VerifyOptions, finding};

/// A leaf certificate, the possible CAs above it, and the options.
pub(super) struct Validation<'q> {
    pub(super) verifier: &'q Verifier,
    pub(super) leaf: &'q Certificate,
    /// Possible intermediates.
    pub(super) known: Vec<&'q Certificate>,
    pub(super) options: &'q VerifyOptions,
}

/// Certificates, starting with the leaf.
#[derive(Clone)]
pub(super) struct Path<'q> {
    pub(super) certificates: Vec<&'q Certificate>,
    /// What is known about the signature on each certificate except the last.
    pub(super) signatures: Vec<SignatureStatus>,
    /// Whether the last certificate is an anchor.
    pub(super) anchored: bool,
}

impl<'q> Path<'q> {
    /// A path in which every signature below the anchor is valid.
    pub(super) fn verified(below: &[&'q Certificate], anchor: &'q Certificate) -> Self {
        let mut signatures = Vec::with_capacity(below.len() + 1);
        signatures.resize(below.len(), SignatureStatus::Verified);
        signatures.push(SignatureStatus::NotChecked);
        Self { certificates: [below, &[anchor]].concat(), signatures, anchored: true }
    }

    fn place(&self, index: usize) -> Place {
        match index {
            0 => Place::Leaf,
            _ if self.anchored && index + 1 == self.certificates.len() => Place::Anchor,
            _ => Place::Intermediate,
        }
    }

    /// The path, which is trusted unless there is a reason against it.
    pub(super) fn to_report(
        &self,
        limit: Option<PathLimit>,
        refusal: Option<Finding>,
        findings: Vec<Finding>,
    ) -> Report {
        let trust = refusal.map_or(Trust::Accepted, |finding| Trust::Refused(Box::new(finding)));
        let certificates = self.certificates.iter().zip(&self.signatures).enumerate();
        let certificates = certificates.map(|(index, (certificate, signature))| PathCertificate {
            certificate: Certificate::clone(certificate),
            place: self.place(index),
            signature: *signature,
        });
        Report::new(CertificationPath::new(certificates.collect(), limit, trust), findings)
    }
}

impl Validation<'_> {
    /// The findings of the rules on every certificate of a path, and the reason why the path is not trusted even if all its
    /// signatures are valid.
    pub(super) fn check_path(&self, path: &Path<'_>) -> (Vec<Finding>, Option<Finding>) {
        let policy = self.verifier.policy;
        let mut findings = Vec::new();
        let mut cas_below = 0;
        for (index, certificate) in path.certificates.iter().enumerate() {
            let place = path.place(index);
            let in_path = CertificateInPath {
                certificate,
                place,
                above: &path.certificates[index + 1..],
                cas_below,
                all_cas_below: index.saturating_sub(1),
                options: self.options,
            };
            findings.extend(match self.verifier.known_ca(certificate) {
                Some(known) => known.check(&in_path, policy),
                None => rules::check(&in_path, &OwnViolations::of(certificate), policy),
            });
            if let Some(issuer) = path.certificates.get(index + 1) {
                findings.extend(self.verifier.revocation(certificate, issuer, self.options.at));
            }
            cas_below += usize::from(place == Place::Intermediate && !certificate.is_self_issued());
        }
        findings.extend(self.unused_crls(path));
        let not_der = path.certificates.iter().find_map(|one| rules::not_der(one, policy));
        (findings, not_der.or_else(|| self.too_deep(cas_below)))
    }

    fn unused_crls(&self, path: &Path<'_>) -> Vec<Finding> {
        let crls = &self.verifier.crls;
        if crls.is_empty() {
            return Vec::new();
        }
        let known: Vec<&Certificate> =
            path.certificates.iter().chain(&self.known).copied().collect();
        let known: Vec<&Certificate> = known.into_iter().chain(&self.verifier.anchors).collect();
        rules::unused_crls(self.leaf, &known, crls)
    }

    fn too_deep(&self, cas: usize) -> Option<Finding> {
        let allowed = self.verifier.max_depth.filter(|allowed| cas > *allowed)?;
        let evidence =
            format!("the number of CAs between leaf and anchor is {cas}, the limit is {allowed}");
        Some(self.refuse(&rules::PATH_TOO_DEEP, self.leaf, evidence))
    }

    /// The finding for a path that is not trusted.
    pub(super) fn refuse(
        &self,
        rule: &'static Rule,
        certificate: &Certificate,
        evidence: impl Into<Evidence>,
    ) -> Finding {
        finding(rule, self.verifier.policy, certificate.subject.to_string(), evidence)
    }
}

/// The best report so far: a trusted path is better than any other, and then fewer errors are better.
#[derive(Default)]
pub(super) struct Best {
    pub(super) report: Option<Report>,
}

impl Best {
    /// Keeps a report if it is better. Returns true if it has no errors.
    pub(super) fn offer(&mut self, report: Report) -> bool {
        let ok = report.is_ok();
        if self.report.as_ref().is_none_or(|best| rank(&report) < rank(best)) {
            self.report = Some(report);
        }
        ok
    }
}

fn rank(report: &Report) -> (bool, usize) {
    let errors = report.findings().filter(|finding| finding.severity == Severity::Error).count();
    (!report.path().is_trusted(), errors)
}
