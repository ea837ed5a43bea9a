//! Applies the rules of `verify` to a draft and to the CA that will sign it.

use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::error::Error;
use crate::finding::{Finding, Severity, worst_first};
use crate::report::Place;
use crate::rules::{self, CertificateInPath, Policy, VerifyOptions};
use crate::usage::{ExtendedKeyUsage, Purpose};

/// Whether a certificate that can only serve needs the name or address of a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ServerNames {
    /// It cannot be issued without one, because Go rejects it.
    Required,
    /// It is issued with a warning, as cfssl does: some clients still read the common name.
    Optional,
}

/// Checks a certificate, and the CA above it.
pub(super) fn certificate(
    unsigned: &Certificate,
    ca: Option<&Certificate>,
    now: OffsetDateTime,
    names: ServerNames,
) -> Result<Vec<Finding>, Error> {
    let mut options = VerifyOptions::at(now);
    options.purpose = purpose(unsigned);
    let place = match unsigned {
        leaf if !leaf.is_ca() => Place::Leaf,
        root if root.is_self_issued() => Place::Anchor,
        _ => Place::Intermediate,
    };
    let above: Vec<&Certificate> = ca.into_iter().collect();
    let mut findings = rules::check_before_signing(&CertificateInPath {
        certificate: unsigned,
        place,
        above: &above,
        cas_below: 0,
        all_cas_below: 0,
        options: &options,
    });
    findings.extend(rules::not_der(unsigned, Policy::Etcd));
    if ca.is_none() {
        // A certificate that its own key signs may omit the identifier (RFC 5280 section 4.2.1.1). The rule itself checks the
        // signature, which a draft does not have.
        findings.retain(|finding| finding.rule.id != "aki-missing");
    }
    for finding in findings.iter_mut().filter(|finding| finding.rule.id == "san-none-cn-only") {
        // Without names it cannot serve, but a client needs none.
        if options.purpose == Purpose::Peer || names == ServerNames::Optional {
            finding.severity = Severity::Warning;
        }
    }
    findings
        .extend(ca.into_iter().flat_map(|ca| of_ca(ca, usize::from(unsigned.is_ca()), &options)));
    verdict(findings)
}

/// Checks a CRL, and the CA that issues it.
pub(super) fn crl(
    unsigned: &Crl,
    ca: &Certificate,
    now: OffsetDateTime,
) -> Result<Vec<Finding>, Error> {
    let mut findings = rules::check_crl_before_signing(unsigned, ca, now);
    findings.extend(of_ca(ca, 0, &VerifyOptions::at(now)));
    verdict(findings)
}

/// Checks a CA that would sign a leaf.
pub(crate) fn findings_of_ca(ca: &Certificate, now: OffsetDateTime) -> Vec<Finding> {
    let mut findings = of_ca(ca, 0, &VerifyOptions::at(now));
    worst_first(&mut findings);
    findings
}

/// A certificate that is not a CA is checked as one anyway, so that the rules report what is missing.
fn of_ca(ca: &Certificate, cas_below: usize, options: &VerifyOptions) -> Vec<Finding> {
    let place = if ca.is_self_issued() { Place::Anchor } else { Place::Intermediate };
    rules::check_before_signing(&CertificateInPath {
        certificate: ca,
        place,
        above: &[],
        cas_below,
        all_cas_below: cas_below,
        options,
    })
}

fn verdict(mut findings: Vec<Finding>) -> Result<Vec<Finding>, Error> {
    worst_first(&mut findings);
    let forbidden = findings.iter().any(|finding| finding.severity == Severity::Error);
    if forbidden { Err(Error::Refused(findings)) } else { Ok(findings) }
}

/// The role of a certificate, which follows from its extended key usages.
fn purpose(draft: &Certificate) -> Purpose {
    let Some(usages) = &draft.extensions.extended_key_usage else {
        return Purpose::Any;
    };
    let has = |usage: &ExtendedKeyUsage| usages.contains(usage);
    match (has(&ExtendedKeyUsage::server_auth()), has(&ExtendedKeyUsage::client_auth())) {
        (true, true) => Purpose::Peer,
        (true, false) => Purpose::Server,
        (false, true) => Purpose::Client,
        (false, false) => Purpose::Any,
    }
}
