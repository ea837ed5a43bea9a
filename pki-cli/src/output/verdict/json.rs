//! One JSON document, written outcome by outcome. docs/json.md and docs/verify.schema.json describe it.

use pki_core::{Certificate, CertificationPath};
use serde::Serialize;

use super::form::{Form, Head, View};
use super::outcome::{EndpointFacts, Outcome, Verified};
use super::totals::Totals;
use crate::failure::Failure;
use crate::output::facts::{FindingFacts, moment};

#[derive(Serialize)]
struct Thing<'a> {
    file: &'a str,
    ok: bool,
    trust: Option<TrustFacts>,
    path: Vec<CertificateInPath>,
    /// Why rustls-webpki did not validate this path.
    limit: Option<String>,
    not_after: Option<String>,
    findings: Vec<FindingFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a EndpointFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Reason<'a>>,
}

/// Whether the signatures lead to a CA that is trusted.
#[derive(Serialize)]
struct TrustFacts {
    accepted: bool,
    /// The SHA-256 of the CA.
    anchor: Option<String>,
    /// The rule that explains why it is not trusted.
    refused_by: Option<&'static str>,
}

#[derive(Serialize)]
struct CertificateInPath {
    subject: String,
    place: &'static str,
    /// What is known about the signature on it.
    signature: &'static str,
    serial: String,
    not_after: String,
    sha256: String,
}

/// Why it could not be verified.
#[derive(Serialize)]
struct Reason<'a> {
    kind: &'static str,
    exit_code: u8,
    message: &'a str,
    hint: Option<&'a str>,
}

pub(super) struct Json;

impl Form for Json {
    fn head(&self) -> Head {
        Head::Known("{\n  \"files\": [\n".to_owned())
    }

    fn outcome(&self, outcome: &Outcome, _: &View) -> String {
        let thing = match &outcome.result {
            Ok(verified) => Thing {
                file: &outcome.name,
                ok: verified.is_ok(),
                trust: verified.path.as_ref().map(trust),
                path: verified.path.as_ref().map(path).unwrap_or_default(),
                limit: verified.path.as_ref().and_then(|path| Some(path.limit()?.to_string())),
                not_after: verified.not_after(),
                findings: findings(verified),
                endpoint: verified.endpoint.as_ref(),
                error: None,
            },
            Err(failure) => Thing {
                file: &outcome.name,
                ok: false,
                trust: None,
                path: Vec::new(),
                limit: None,
                not_after: None,
                findings: Vec::new(),
                endpoint: None,
                error: Some(reason(failure)),
            },
        };
        compact(&thing, "    ")
    }

    fn separator(&self) -> &'static str {
        ",\n"
    }

    fn end(&self, totals: &Totals, _: &View) -> String {
        let (passed, counts) = (compact(&totals.skipped, ""), compact(totals, ""));
        let ok = totals.is_ok();
        format!("\n  ],\n  \"skipped\": {passed},\n  \"totals\": {counts},\n  \"ok\": {ok}\n}}\n")
    }
}

fn trust(path: &CertificationPath) -> TrustFacts {
    TrustFacts {
        accepted: path.is_trusted(),
        anchor: path.anchor().map(Certificate::fingerprint),
        refused_by: path.refusal().map(|finding| finding.rule.id),
    }
}

fn path(path: &CertificationPath) -> Vec<CertificateInPath> {
    let facts = path.certificates().iter().map(|one| CertificateInPath {
        subject: one.certificate.subject.to_string(),
        place: one.place.as_str(),
        signature: one.signature.as_str(),
        serial: one.certificate.serial.to_string(),
        not_after: moment(one.certificate.not_after),
        sha256: one.certificate.fingerprint(),
    });
    facts.collect()
}

fn findings(verified: &Verified) -> Vec<FindingFacts> {
    let facts = verified.all().map(|(finding, ignored)| FindingFacts {
        ignored: ignored.map(str::to_owned),
        ..FindingFacts::from(finding)
    });
    facts.collect()
}

fn reason(failure: &Failure) -> Reason<'_> {
    Reason {
        kind: failure.kind.as_str(),
        exit_code: failure.kind.exit_code(),
        message: &failure.message,
        hint: failure.hint.as_deref(),
    }
}

/// One line. A value of strings, numbers and lists always has one.
pub(super) fn compact(value: &impl Serialize, indent: &str) -> String {
    let json = serde_json::to_string(value);
    format!("{indent}{}", json.unwrap_or_else(|error| format!("{:?}", error.to_string())))
}
