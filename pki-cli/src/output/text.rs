//! Text for people. It is complete without colour.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use pki_core::{Finding, Severity};

use super::facts::{CertificateFacts, ExtensionFacts, Facts, RequestFacts};
use crate::failure::Failure;

const fn colour(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Info => AnsiColor::Cyan,
    };
    colour.on_default().bold()
}

fn word(severity: Severity) -> String {
    let style = colour(severity);
    format!("{style}{severity}{style:#}")
}

/// The text in the colour of a severity, or unchanged.
pub(crate) fn coloured(severity: Option<Severity>, text: &str) -> String {
    match severity.map(colour) {
        Some(style) => format!("{style}{text}{style:#}"),
        None => text.to_owned(),
    }
}

/// A failure with its reasons and its hint, for standard error.
pub(crate) fn failure(failure: &Failure) -> String {
    let mut text = format!("{}: {}\n", word(Severity::Error), failure.message);
    for mistake in &failure.mistakes {
        let _ = writeln!(text, "  {mistake}");
        if let Some(hint) = mistake.hint() {
            let _ = writeln!(text, "    hint: {hint}");
        }
    }
    text.push_str(&findings(&failure.findings));
    if let Some(hint) = &failure.hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}

/// Findings, in their order.
pub(crate) fn findings(findings: &[Finding]) -> String {
    findings.iter().map(finding).collect()
}

pub(super) fn finding(finding: &Finding) -> String {
    format!(
        "  {} [{}] {}: {}\n    impact: {}\n    fix:    {}\n    see:    {}\n",
        word(finding.severity),
        finding.rule.id,
        finding.subject,
        finding.evidence,
        finding.rule.impact,
        finding.rule.remedy,
        finding.rule.citation,
    )
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<20} {value}");
}

fn list(text: &mut String, name: &str, values: &[String]) {
    if !values.is_empty() {
        line(text, name, &values.join(", "));
    }
}

/// The output of `inspect` for one object in a file.
pub(crate) fn facts(facts: &Facts) -> String {
    match facts {
        Facts::Certificate(facts) => certificate(facts),
        Facts::CertificateRequest(facts) => request(facts),
        Facts::PrivateKey(key) => {
            let mut text = "private key\n".to_owned();
            line(&mut text, "algorithm", &key.algorithm);
            line(&mut text, "key id", &key.key_id);
            text
        }
        Facts::EncryptedKey {} => "encrypted private key\n".to_owned(),
        Facts::Other { label } => format!("{label}\n"),
    }
}

fn certificate(facts: &CertificateFacts) -> String {
    let mut text = "certificate\n".to_owned();
    line(&mut text, "subject", &facts.subject);
    line(&mut text, "issuer", &facts.issuer);
    line(&mut text, "serial", &facts.serial);
    line(&mut text, "valid", &format!("{} to {}", facts.not_before, facts.not_after));
    line(&mut text, "key", &format!("{}, id {}", facts.key.algorithm, facts.key.key_id));
    line(&mut text, "signature", &facts.signature_algorithm);
    line(&mut text, "sha256", &facts.sha256);
    line(&mut text, "version", &facts.version.to_string());
    extensions(&mut text, &facts.extensions);
    text
}

fn request(facts: &RequestFacts) -> String {
    let mut text = "certificate request\n".to_owned();
    line(&mut text, "subject", &facts.subject);
    line(&mut text, "key", &format!("{}, id {}", facts.key.algorithm, facts.key.key_id));
    let valid = if facts.signature_valid { "valid" } else { "INVALID" };
    line(&mut text, "signature", &format!("{}, {valid}", facts.signature_algorithm));
    extensions(&mut text, &facts.extensions);
    text
}

fn extensions(text: &mut String, facts: &ExtensionFacts) {
    let ca = match (facts.ca, facts.path_len) {
        (true, Some(length)) => format!("yes, path length {length}"),
        (true, None) => "yes".to_owned(),
        (false, _) => "no".to_owned(),
    };
    line(text, "ca", &ca);
    list(text, "names", facts.subject_alt_name.as_deref().unwrap_or_default());
    list(text, "key usage", facts.key_usage.as_deref().unwrap_or_default());
    list(text, "extended key usage", facts.extended_key_usage.as_deref().unwrap_or_default());
    list(text, "subject key id", facts.subject_key_id.as_slice());
    list(text, "authority key id", facts.authority_key_id.as_slice());
    list(text, "permitted names", &facts.permitted);
    list(text, "excluded names", &facts.excluded);
    list(text, "crl", &facts.crl_distribution_points);
    for access in &facts.authority_info_access {
        line(text, &access.method, &access.location);
    }
    list(text, "policies", &facts.certificate_policies);
    for extension in &facts.all {
        let name = extension.name.unwrap_or(&extension.oid);
        let critical = if extension.critical { ", critical" } else { "" };
        match extension.name {
            Some(_) => line(text, "extension", &format!("{name}{critical}")),
            None => line(text, "extension", &format!("{name}{critical}: {}", extension.value)),
        }
    }
}
