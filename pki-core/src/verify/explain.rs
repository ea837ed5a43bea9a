//! Why there is no path.

use webpki::Error as PathError;

use super::Verifier;
use super::builder::path_error_text;
use crate::certificate::Certificate;
use crate::report::{Finding, Report, Rule};
use crate::rules::{self, VerifyOptions, finding};

impl Verifier {
    /// Why the path builder found no path: what the rules say of the likeliest one, and what it
    /// said itself.
    pub(super) fn explain(
        &self,
        leaf: &Certificate,
        known: &[&Certificate],
        options: &VerifyOptions,
        error: &PathError,
    ) -> Report {
        let path = self.likeliest_path(leaf, known);
        let mut report = self.check_path(&path, options);
        // Where webpki did not take the anchor it knows nothing of an issuer either.
        let refused = self.refused.iter().find(|(index, _)| {
            let anchor = &self.anchors[*index];
            path.iter().any(|certificate| std::ptr::eq(*certificate, anchor))
        });
        let (rule, evidence) = self.cause(&path, refused.map_or(error, |(_, error)| error));
        let said = |rule: &Rule| report.findings.iter().any(|finding| finding.rule == rule);
        let explained = match rule.id {
            // The general reason adds nothing to a particular one.
            "path-rejected" => !report.is_ok(),
            "path-unknown-authority" => said(&rules::DN_BYTES),
            _ => false,
        };
        if !explained && !said(rule) {
            let subject = leaf.subject.to_string();
            let found: Finding = finding(rule, self.policy, subject, evidence);
            report.findings.push(found);
        }
        Report::new(report.findings, report.path)
    }

    /// Leaf, then whatever names itself as the issuer. Nothing is accepted on the strength of this;
    /// it only says which certificates the reasons are about.
    fn likeliest_path<'a>(
        &'a self,
        leaf: &'a Certificate,
        known: &[&'a Certificate],
    ) -> Vec<&'a Certificate> {
        const LONGEST: usize = 8;
        let mut path = vec![leaf];
        while path.len() < LONGEST {
            let last = path[path.len() - 1];
            if path.len() > 1 && self.trusts(last) {
                break;
            }
            let candidates = self.anchors.iter().chain(known.iter().copied());
            let next = candidates
                .filter(|ca| !path.iter().any(|used| used.der() == ca.der()))
                .map(|ca| (kinship(last, ca), ca))
                .filter(|(kinship, _)| *kinship > 0)
                .max_by_key(|(kinship, _)| *kinship);
            match next {
                Some((_, ca)) => path.push(ca),
                None => break,
            }
        }
        path
    }

    /// The rule that a refusal of the path builder stands for.
    fn cause(&self, path: &[&Certificate], error: &PathError) -> (&'static Rule, String) {
        let text = path_error_text(error);
        match error {
            PathError::UnknownIssuer => {
                let last = path[path.len() - 1];
                let anchors = self.anchors.iter().map(|anchor| &anchor.subject);
                let evidence = format!(
                    "issuer {:?} is not among the trusted: {}",
                    last.issuer.to_string(),
                    rules::listed(anchors, "; ")
                );
                (&rules::PATH_UNKNOWN_AUTHORITY, evidence)
            }
            PathError::InvalidSignatureForPublicKey => (&rules::PATH_SIGNATURE, text),
            PathError::NameConstraintViolation => (&rules::CA_NAME_CONSTRAINTS, text),
            PathError::PathLenConstraintViolated => (&rules::CA_PATHLEN, text),
            _ => (&rules::PATH_REJECTED, text),
        }
    }
}

/// How likely `ca` issued `certificate`: by name and key identifier, by one of them, or not at all.
fn kinship(certificate: &Certificate, ca: &Certificate) -> u8 {
    let aki = &certificate.extensions.authority_key_id;
    let named = aki.as_ref().and_then(|aki| aki.key_id.as_ref());
    let by_key = named.is_some() && named == ca.extensions.subject_key_id.as_ref();
    let by_name = certificate.issuer.der() == ca.subject.der();
    2 * u8::from(by_name) + u8::from(by_key)
}
