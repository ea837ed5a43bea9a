//! Three verifiers for a chain and its CRLs.

use std::path::Path;

use pki_core::{Certificate, Content, Policy, Purpose, Severity, Verifier, VerifyOptions};
use serde_json::Value;

use super::lists::Case;
use crate::differential::judges::{
    HOST, Refusal, ask, openssl_verify, to_base64, to_json, to_pem, write_pem,
};
use crate::lab::NOW;

/// The result of pki-core.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The ids of the errors.
    pub(super) refusal: Refusal,
    /// The ids of the findings about CRLs, including warnings.
    pub(super) about_crls: Vec<&'static str>,
}

pub(super) fn ours(case: &Case, policy: Policy) -> Verdict {
    let read = |der: &Vec<u8>| Certificate::from_der(der).unwrap();
    let mut builder = Verifier::builder(case.chain.anchors.iter().map(read))
        .intermediates(case.chain.between.iter().map(read))
        .policy(policy);
    // As in a file on the command line.
    for section in pki_core::read_pem(to_pem("X509 CRL", &case.crls).as_bytes()).unwrap() {
        let Content::Crl(der) = section.content else { panic!("a section that is not a CRL") };
        builder = match builder.crl(&der) {
            Ok(builder) => builder,
            Err(_) => {
                return Verdict { refusal: Some("unreadable".to_owned()), about_crls: Vec::new() };
            }
        };
    }
    let mut options = VerifyOptions::at(NOW);
    options.purpose = Purpose::Server;
    options.hosts = vec![HOST.try_into().unwrap()];
    let report = builder.build().unwrap().check(&read(&case.chain.leaf), &[], &options);
    let errors = report.findings().filter(|found| found.severity == Severity::Error);
    let errors: Vec<&str> = errors.map(|finding| finding.rule.id).collect();
    // A CRL that is not used does not have a fault for that reason.
    let ids = report.findings().map(|finding| finding.rule.id);
    let ids = ids.filter(|id| !["crl-missing", "crl-unrelated"].contains(id));
    Verdict {
        refusal: (!errors.is_empty()).then(|| errors.join(" ")),
        about_crls: ids
            .filter(|id| id.starts_with("crl-") || ["leaf-revoked", "go-crl"].contains(id))
            .collect(),
    }
}

/// `openssl verify -crl_check`, or `-crl_check_all` if each CA has a CRL.
pub(super) fn openssl(folder: &Path, case: &Case) -> Refusal {
    let crls = write_pem(folder, "crls.pem", "X509 CRL", &case.crls);
    openssl_verify(folder, &case.chain, |command| {
        command.arg(if case.all { "-crl_check_all" } else { "-crl_check" });
        command.arg("-CRLfile").arg(crls);
    })
}

/// Whether Python's cryptography can read the CRLs, verifies a signature, and finds a serial number.
pub(super) fn python(cases: &[Case]) -> Vec<Refusal> {
    let document = cases.iter().map(|case| {
        let mut value = to_json(&case.chain);
        value["crls"] = to_base64(&case.crls).into();
        value["all"] = case.all.into();
        value
    });
    ask("revocation.py", &Value::Array(document.collect()))
}
