//! Explains why no path leads to an anchor.

use std::cmp::Reverse;

use webpki::Error as PathError;

use super::paths;
use super::validation::{Path, Validation};
use super::walk::MOST_CAS;
use crate::certificate::{Certificate, signature_algorithm_name};
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::report::{Report, SignatureStatus};
use crate::rules;

/// A leaf certificate, one CA more than the walk follows, and an anchor, so that a chain is recognized as too long.
const LONGEST: usize = MOST_CAS + 3;
/// The limit on signatures to check for an explanation.
const MOST_SIGNATURES: usize = 100;

/// The findings of the rules on the most likely path, and why it is not trusted.
pub(super) fn report(validation: &Validation<'_>, webpki_says: &PathError) -> Report {
    let (path, tried) = likeliest(validation);
    let (findings, _) = validation.check_path(&path);
    let refusal = refusal(validation, &path, &tried, webpki_says);
    path.to_report(None, Some(refusal), findings)
}

/// A certificate that may have issued another.
struct Candidate<'q> {
    ca: &'q Certificate,
    is_anchor: bool,
    /// Whether its subject equals the issuer's name byte for byte.
    by_name: bool,
    /// Whether its key identifier matches.
    by_key: bool,
    signature: SignatureStatus,
}

/// The leaf certificate, then the most likely issuer of each certificate, and all possible issuers of the certificate
/// whose issuer is not found. Nothing is accepted because of this.
fn likeliest<'q>(validation: &Validation<'q>) -> (Path<'q>, Vec<&'q Certificate>) {
    let mut path =
        Path { certificates: vec![validation.leaf], signatures: Vec::new(), anchored: false };
    let mut tried = Vec::new();
    let mut budget = MOST_SIGNATURES;
    while path.certificates.len() < LONGEST && !path.anchored {
        let mut candidates = candidates(validation, &path.certificates, &mut budget);
        // The best comes first; among equals, an anchor comes first.
        candidates.sort_by_key(|candidate| {
            let verified = candidate.signature == SignatureStatus::Verified;
            Reverse((candidate.by_name && verified, candidate.by_name, verified, candidate.by_key))
        });
        let Some(best) = candidates.first() else { break };
        if best.signature != SignatureStatus::Verified && tried.is_empty() {
            let by_name = candidates.iter().filter(|candidate| candidate.by_name);
            tried = by_name.map(|candidate| candidate.ca).collect();
        }
        path.certificates.push(best.ca);
        path.signatures.push(best.signature);
        path.anchored = best.is_anchor;
    }
    path.signatures.push(SignatureStatus::NotChecked);
    (path, tried)
}

fn candidates<'q>(
    validation: &Validation<'q>,
    path: &[&'q Certificate],
    budget: &mut usize,
) -> Vec<Candidate<'q>> {
    let last = path[path.len() - 1];
    let aki = &last.extensions.authority_key_id;
    let named_key = aki.as_ref().and_then(|aki| aki.key_id.as_ref());
    let anchors = validation.verifier.anchors.iter().map(|ca| (ca, true));
    let known = validation.known.iter().map(|ca| (*ca, false));
    let mut candidates: Vec<Candidate<'q>> = Vec::new();
    for (ca, is_anchor) in anchors.chain(known) {
        let by_name = ca.subject.der() == last.issuer.der();
        let by_key = named_key.is_some() && named_key == ca.extensions.subject_key_id.as_ref();
        let above = path.iter().chain(candidates.iter().map(|candidate| &candidate.ca));
        if !(by_name || by_key) || above.copied().any(|known| known.der() == ca.der()) {
            continue;
        }
        let signature = status(last, ca, budget);
        candidates.push(Candidate { ca, is_anchor, by_name, by_key, signature });
    }
    candidates
}

fn status(certificate: &Certificate, ca: &Certificate, budget: &mut usize) -> SignatureStatus {
    if !certificate.is_checkable_with(&ca.public_key) {
        return SignatureStatus::Unsupported;
    }
    if *budget == 0 {
        return SignatureStatus::NotChecked;
    }
    *budget -= 1;
    if certificate.is_signed_by(&ca.public_key) {
        SignatureStatus::Verified
    } else {
        SignatureStatus::Invalid
    }
}

/// The first fault on the way to the anchor.
fn refusal(
    validation: &Validation<'_>,
    path: &Path<'_>,
    tried: &[&Certificate],
    webpki_says: &PathError,
) -> Finding {
    if validation.verifier.anchors.iter().any(|anchor| anchor.der() == validation.leaf.der()) {
        let evidence = "it is in the trust file itself: Go does not check who signed such a certificate, but there is no path to a CA";
        return validation.refuse(&rules::PATH_REJECTED, validation.leaf, evidence.to_owned());
    }
    let steps = path.certificates.windows(2).zip(&path.signatures).enumerate();
    for (index, (step, signature)) in steps {
        let [certificate, issuer] = *step else { continue };
        let is_anchor = path.anchored && index + 2 == path.certificates.len();
        return match signature {
            _ if issuer.subject.der() != certificate.issuer.der() => {
                unknown_issuer(validation, certificate)
            }
            SignatureStatus::Invalid => {
                let tried = tried.iter().map(|ca| name_and_key(ca)).collect();
                let evidence = Evidence::NotSignedBy { tried };
                validation.refuse(&rules::PATH_SIGNATURE, certificate, evidence)
            }
            SignatureStatus::Unsupported => {
                let algorithm = signature_algorithm_name(&certificate.signature_algorithm);
                let key = issuer.public_key.algorithm_name();
                let evidence = format!(
                    "its signature cannot be checked: {algorithm} with a key of type {key}; supported are ECDSA with P-256, \
                     P-384 or P-521, Ed25519, and RSA with 2048 to 8192 bits"
                );
                validation.refuse(&rules::PATH_REJECTED, certificate, evidence)
            }
            SignatureStatus::Verified if issuer.is_ca() || is_anchor => continue,
            SignatureStatus::Verified => {
                let evidence = format!("it signed {}, but is not a CA", certificate.subject);
                validation.refuse(&rules::PATH_REJECTED, issuer, evidence)
            }
            SignatureStatus::NotChecked => {
                let evidence = "there are too many possible issuers to try them all".to_owned();
                validation.refuse(&rules::PATH_REJECTED, certificate, evidence)
            }
        };
    }
    let cas = path.certificates.len().saturating_sub(1 + usize::from(path.anchored));
    match path.certificates.last() {
        _ if cas > MOST_CAS => {
            let evidence = format!("there are more than {MOST_CAS} CAs between it and an anchor");
            validation.refuse(&rules::PATH_REJECTED, validation.leaf, evidence)
        }
        Some(last) if !path.anchored => unknown_issuer(validation, last),
        // Every step is valid, but the searches reached their limits before they found the path.
        _ => {
            let evidence = format!("rustls-webpki rejects it: {}", paths::reason(webpki_says));
            validation.refuse(&rules::PATH_REJECTED, validation.leaf, evidence)
        }
    }
}

fn unknown_issuer(validation: &Validation<'_>, certificate: &Certificate) -> Finding {
    let anchors = validation.verifier.anchors.iter();
    let evidence = Evidence::UnknownIssuer {
        issuer: (!certificate.is_self_issued()).then(|| certificate.issuer.to_string()),
        trusted: anchors.map(|anchor| anchor.subject.to_string()).collect(),
    };
    validation.refuse(&rules::PATH_UNKNOWN_AUTHORITY, certificate, evidence)
}

/// A CA by name and key: two CAs may share a name.
fn name_and_key(ca: &Certificate) -> (String, String) {
    (ca.subject.to_string(), ca.public_key.key_id().to_string())
}
