//! Text for people: the options, the chain as a tree, the findings worst first.

use std::fmt::Write as _;

use pki_core::{CertificationPath, Place, Severity, SignatureStatus, quote};

use super::form::{Form, View, plural};
use super::outcome::{Outcome, Verified};
use super::totals::Totals;
use crate::output::facts::moment;
use crate::output::text::{coloured, finding};

pub(super) struct Text;

impl Form for Text {
    /// Empty for an input that could not be verified: its message goes to standard error.
    fn outcome(&self, outcome: &Outcome, view: &View) -> String {
        let Ok(verified) = &outcome.result else { return String::new() };
        let mut text = String::with_capacity(256);
        let _ = writeln!(text, "{}: {}", quote::name(&outcome.name), counts(verified));
        if view.alone {
            let _ = writeln!(text, "  checked {}", view.asked);
        }
        if let Some(endpoint) = &verified.endpoint {
            let tls = endpoint.tls_version.unwrap_or("no TLS session");
            let client = match endpoint.client_certificate {
                "not-asked" => "requests no client certificate",
                "optional" => "requests a client certificate, but does not require one",
                "required" => "requires a client certificate",
                "accepted" => "accepts the client certificate",
                "refused" => "refuses the client certificate",
                _ => "does not say whether a client certificate is needed",
            };
            let _ = writeln!(text, "  {} {tls}, {client}", endpoint.address);
        }
        tree(&mut text, verified);
        for found in verified.counting() {
            text.push_str(&finding(found));
        }
        for (found, reason) in verified.ignored() {
            let _ = writeln!(
                text,
                "  ignored [{}] {}: {}\n    reason: {reason}",
                found.rule.id, found.subject, found.evidence
            );
        }
        text
    }

    /// The closing line, if there is more than one outcome.
    fn end(&self, totals: &Totals, view: &View) -> String {
        if view.alone {
            return String::new();
        }
        let summary = summary(totals);
        let worst = match totals {
            _ if !totals.is_ok() => Some(Severity::Error),
            Totals { warnings: 1.., .. } => Some(Severity::Warning),
            _ => None,
        };
        format!("{} {}\n", coloured(worst, &summary), view.asked)
    }
}

/// `1 error, 2 warnings`, or `ok`
fn counts(verified: &Verified) -> String {
    let worst = verified.counting().map(|found| found.severity).max();
    if worst.is_none_or(|worst| worst <= Severity::Info) {
        return "ok".to_owned();
    }
    let (errors, warnings) = (verified.count(Severity::Error), verified.count(Severity::Warning));
    let parts: Vec<String> = [(errors, "error"), (warnings, "warning")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| plural(number, word))
        .collect();
    coloured(worst, &parts.join(", "))
}

/// The leaf, and below each certificate the one that issued it.
fn tree(text: &mut String, verified: &Verified) {
    let Some(path) = &verified.path else { return };
    let mut above: Option<SignatureStatus> = None;
    for (index, one) in path.certificates().iter().enumerate() {
        let note = match above {
            Some(SignatureStatus::Invalid) => " (its key did not make the signature)",
            Some(SignatureStatus::Unsupported) => " (the signature cannot be checked)",
            _ if one.place == Place::Anchor && is_verified(path) => " (trusted)",
            _ => "",
        };
        branch(text, index);
        let _ = write!(text, "{}", one.certificate.subject);
        if index == 0 {
            let _ = write!(text, ", until {}", moment(one.certificate.not_after));
        }
        let _ = writeln!(text, "{note}");
        above = Some(one.signature);
    }
    if path.certificates().iter().all(|one| one.place != Place::Anchor) {
        branch(text, path.certificates().len());
        text.push_str("no trusted CA\n");
    }
    if let Some(limit) = path.limit() {
        let _ = writeln!(
            text,
            "  validated by RFC 5280 section 6.1 without rustls-webpki, because {limit}"
        );
    }
}

/// Whether every signature below the last certificate verifies.
fn is_verified(path: &CertificationPath) -> bool {
    let below = path.certificates().split_last().map(|(_, below)| below).unwrap_or_default();
    below.iter().all(|one| one.signature == SignatureStatus::Verified)
}

/// The beginning of a line of the tree.
fn branch(text: &mut String, depth: usize) {
    text.push_str("  ");
    if let Some(above) = depth.checked_sub(1) {
        text.extend(std::iter::repeat_n("   ", above));
        text.push_str("└─ ");
    }
}

/// `20 certificates checked, 18 ok, 18 trusted, 1 with errors, 1 not verified; 3 errors; skipped 2 keys;`
pub(super) fn summary(totals: &Totals) -> String {
    let mut text = format!(
        "{} checked, {} ok, {} trusted",
        plural(totals.files, "certificate"),
        totals.ok,
        totals.trusted
    );
    for (number, word) in [(totals.with_errors, "with errors"), (totals.failed, "not verified")] {
        if number > 0 {
            let _ = write!(text, ", {number} {word}");
        }
    }
    let passed = totals.skipped;
    for (start, parts) in [
        (
            "",
            &[
                (totals.errors, "error"),
                (totals.warnings, "warning"),
                (totals.ignored, "ignored finding"),
            ][..],
        ),
        (
            "skipped ",
            &[
                (passed.keys, "key"),
                (passed.requests, "request"),
                (passed.crls, "CRL"),
                (passed.trust_files, "trust file"),
            ],
        ),
    ] {
        let parts: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| plural(*number, word))
            .collect();
        if !parts.is_empty() {
            let _ = write!(text, "; {start}{}", parts.join(", "));
        }
    }
    text + ";"
}
