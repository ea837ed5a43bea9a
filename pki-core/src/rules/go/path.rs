//! The path as a whole: its length, its cycles, and the time of the check.

use super::{ALL, Demand};
use crate::certificate::Certificate;
use crate::finding::{Finding, Rule, Severity, Source};
use crate::rules::CertificateInPath;

pub(super) static RULE: Rule = Rule {
    id: "go-path",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server reject the chain, although RFC 5280 allows it.",
    remedy: "Sign leaf certificates directly with the root CA: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. Or give each CA a name and a key of its own and a sufficient path length: `etcdpki init-ca --path-len NUMBER --cn NAME --dir NEW-DIR`.",
    citation: "Go crypto/x509 (isValid, alreadyInChain, buildChains)",
};

static LENGTH: Demand = Demand {
    name: "path-length",
    rule: &RULE,
    refused: "More CAs below a CA than its path length allows, including self-issued CAs",
    words: "x509: too many intermediates for path length constraint",
    versions: ALL,
    rfc5280: "allows it, because self-issued CAs do not count (section 6.1.4 (l))",
};

static AGAIN: Demand = Demand {
    name: "issuer-again",
    rule: &RULE,
    refused: "An issuer with the same subject, public key and subjectAltName as a certificate below it",
    words: "x509: certificate signed by unknown authority",
    versions: ALL,
    rfc5280: "allows it",
};

static FRACTION: Demand = Demand {
    name: "fraction",
    rule: &RULE,
    refused: "A time of the check that is less than a second after notAfter",
    words: "x509: certificate has expired or is not yet valid: …",
    versions: ALL,
    rfc5280: "allows it, because the validity is in whole seconds (section 4.1.2.5)",
};

static CANDIDATES: Demand = Demand {
    name: "candidates",
    rule: &RULE,
    refused: "More than 100 certificates that can be the issuer of another by their names, if no valid path is among the first 100 that Go tries",
    words: "x509: signature check attempts limit reached while verifying certificate chain",
    versions: ALL,
    rfc5280: "allows it",
};

pub(super) static DEMANDS: &[&Demand] = &[&LENGTH, &AGAIN, &FRACTION, &CANDIDATES];

/// The finding about a certificate for which Go finds no path, because there are too many possible issuers.
pub(crate) fn too_many_candidates(leaf: &Certificate) -> Finding {
    let evidence = CANDIDATES.violated("too many CA certificates have the name of an issuer");
    Finding::new(&RULE, leaf.subject.to_string(), evidence)
}

pub(super) fn check(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let certificate = in_path.certificate;
    let (at, not_after) = (in_path.options.at, certificate.not_after);
    let mut violations =
        Vec::from_iter((at > not_after && at.unix_timestamp() == not_after.unix_timestamp()).then(
            || FRACTION.violated("notAfter is less than a second before the time of the check"),
        ));
    let constraints = certificate.extensions.basic_constraints;
    let allowed = constraints.and_then(|constraints| constraints.path_len);
    // `ca-pathlen` reports the case without self-issued CAs.
    let cas = in_path.all_cas_below;
    if cas > in_path.cas_below && allowed.is_some_and(|allowed| cas > allowed as usize) {
        violations.push(
            LENGTH.violated(format_args!("{cas} CAs are below it, self-issued ones included")),
        );
    }
    let again = in_path.is_leaf() && has_cycle(certificate, in_path.above);
    violations.extend(again.then(|| {
        AGAIN.violated("two certificates of the path have the same subject, key and names")
    }));
    violations
}

fn has_cycle(leaf: &Certificate, above: &[&Certificate]) -> bool {
    let path: Vec<&Certificate> = std::iter::once(leaf).chain(above.iter().copied()).collect();
    let is_trusted_itself = above.last().is_some_and(|anchor| anchor.der() == leaf.der());
    !is_trusted_itself && (1..path.len()).any(|at| is_in_go_chain(path[at], &path[..at]))
}

/// Go's alreadyInChain. It recognizes a CA by its subject, its key and its subjectAltName, but it stops at the first
/// certificate with that subject and key if only one of the two has a subjectAltName.
pub(crate) fn is_in_go_chain(candidate: &Certificate, chain: &[&Certificate]) -> bool {
    fn names(certificate: &Certificate) -> Option<&[u8]> {
        certificate.extensions.find("2.5.29.17").map(|extension| extension.value.as_slice())
    }
    for certificate in chain.iter().filter(|certificate| certificate.is_same_ca(candidate)) {
        match (names(candidate), names(certificate)) {
            (None, None) => return true,
            (None, Some(_)) | (Some(_), None) => return false,
            (Some(own), Some(other)) if own == other => return true,
            (Some(_), Some(_)) => {}
        }
    }
    false
}
