//! Contents of a certificate that Go does not see.

use super::Demand;
use super::form::GoCertificate;
use crate::certificate::der::{Der, SEQUENCE};
use crate::finding::{Rule, Severity, Source};

pub(super) static RULE: Rule = Rule {
    id: "go-unseen",
    severity: Severity::Error,
    source: Source::Go,
    impact: "Names, usages and restrictions that other verifiers see have no effect in etcd and the API server.",
    remedy: "Reissue the certificate with every field in its place and in valid DER: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
    citation: "RFC 5280 section 4.1; X.690 section 10.2; Go crypto/x509 (parseCertificate, parseSANExtension)",
};

const WORDS: &str = "x509: certificate is not valid for any names, but wanted to match …";
const VERSIONS: &str = "all versions, when a host name is checked";

static EXTENSIONS: Demand = Demand {
    name: "extensions-unseen",
    rule: &RULE,
    refused: "Extensions behind an element that does not belong there, such as a constructed unique identifier, which Go ignores",
    words: WORDS,
    versions: VERSIONS,
    rfc5280: "forbids it (section 4.1)",
};

static CONSTRUCTED: Demand = Demand {
    name: "san-constructed",
    rule: &RULE,
    refused: "A certificate whose DNS names and IP addresses are all encoded as constructed elements, which Go ignores",
    words: WORDS,
    versions: VERSIONS,
    rfc5280: "forbids it (appendix A.2, X.690 section 10.2)",
};

pub(super) static DEMANDS: &[&Demand] = &[&EXTENSIONS, &CONSTRUCTED];

pub(super) fn check(certificate: &GoCertificate<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    let Some(fields) = certificate.fields().filter(|_| certificate.is_in_path()) else {
        return violations;
    };
    // Go reports an error only when it needs what it does not see, so the evidence does not quote Go.
    if fields.is_unseen {
        let what =
            "its extensions are behind an element that does not belong there, so Go ignores them";
        violations.push(what.to_owned());
    }
    let names =
        fields.find(&[0x55, 0x1d, 17]).and_then(|names| Der::new(names.value).enter(SEQUENCE));
    let mut names = names.unwrap_or(Der::new(&[]));
    while let Some(name) = names.element() {
        if matches!(name.tag, 0xa1 | 0xa2 | 0xa6 | 0xa7) {
            let what = "a name in its subjectAltName is a constructed element, which Go ignores";
            violations.push(what.to_owned());
        }
    }
    violations
}
