//! Finds paths with rustls-webpki.

use std::cell::RefCell;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error as PathError, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter,
    VerifiedPath,
};

use super::anchors::WebpkiAnchors;
use super::validation::{Best, Path, Validation};
use crate::certificate::Certificate;
use crate::usage::Purpose;

/// Lets webpki search for paths until the rules accept one.
///
/// The rules check CRLs instead of webpki, because they also apply to the walk and check each CRL only once.
pub(super) fn find(validation: &Validation<'_>, best: &mut Best) -> Result<(), PathError> {
    let best = RefCell::new(best);
    let accept = |found: &VerifiedPath<'_>| {
        // One accepted certificate of the anchor is enough.
        let accepted = paths(validation, found).any(|path| {
            let (findings, refusal) = validation.check_path(&path);
            best.borrow_mut().offer(path.to_report(None, refusal, findings))
        });
        if accepted { Ok(()) } else { Err(PathError::UnknownIssuer) }
    };
    let WebpkiAnchors { anchors, .. } = &validation.verifier.webpki_anchors;
    search(validation, anchors, &validation.known, &accept)
}

/// webpki's answer to one path, without any other anchor or intermediate.
pub(super) fn check(validation: &Validation<'_>, path: &Path<'_>) -> Result<(), PathError> {
    let Some((anchor, below)) = path.certificates.split_last() else {
        return Err(PathError::UnknownIssuer);
    };
    let der = CertificateDer::from(anchor.der());
    let anchor = webpki::anchor_from_trusted_cert(&der)?;
    search(validation, &[anchor], below.get(1..).unwrap_or_default(), &|_| Ok(()))
}

fn search(
    validation: &Validation<'_>,
    anchors: &[TrustAnchor<'_>],
    known: &[&Certificate],
    accept: &dyn Fn(&VerifiedPath<'_>) -> Result<(), PathError>,
) -> Result<(), PathError> {
    let der = CertificateDer::from(validation.leaf.der());
    let end_entity = EndEntityCert::try_from(&der)?;
    let intermediates: Vec<CertificateDer<'_>> =
        known.iter().map(|ca| CertificateDer::from(ca.der())).collect();
    // webpki compares whole seconds since 1970, and every CA in use is newer than that.
    let seconds = u64::try_from(validation.options.at.unix_timestamp()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    end_entity.verify_for_usage(
        &validation.verifier.algorithms.all(),
        anchors,
        &intermediates,
        now,
        Usages(validation.options.purpose),
        None,
        Some(accept),
    )?;
    Ok(())
}

/// The path as [`Certificate`]s, once for each certificate of its anchor.
fn paths<'q>(
    validation: &'q Validation<'q>,
    found: &VerifiedPath<'_>,
) -> impl Iterator<Item = Path<'q>> {
    let mut below = vec![validation.leaf];
    for ca in found.intermediate_certificates() {
        let der = ca.der();
        below.extend(validation.known.iter().find(|known| known.der() == der.as_ref()));
    }
    let WebpkiAnchors { anchors, certificates } = &validation.verifier.webpki_anchors;
    let at = anchors.iter().position(|anchor| anchor == found.anchor());
    let twins = at.map(|at| certificates[at].as_slice()).unwrap_or_default();
    twins.iter().map(move |at| Path::verified(&below, &validation.verifier.anchors[*at]))
}

/// True if webpki can read the anchor. Of the versions before 3 it reads only version 1 without the number that DER omits.
pub(super) fn reads_anchor(certificate: &Certificate) -> bool {
    webpki::anchor_from_trusted_cert(&CertificateDer::from(certificate.der())).is_ok()
}

/// webpki's error for a single certificate.
pub(super) fn parse(certificate: &Certificate) -> Result<(), PathError> {
    EndEntityCert::try_from(&CertificateDer::from(certificate.der())).map(|_| ())
}

/// The extended key usages that a purpose requires, for the leaf certificate and for CAs that have the extension.
///
/// anyExtendedKeyUsage is valid for every purpose, as in Go.
struct Usages(Purpose);

impl ExtendedKeyUsageValidator for Usages {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), PathError> {
        const ANY: KeyPurposeId<'static> = KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0x00]);
        const SERVER: KeyPurposeId<'static> =
            KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]);
        const CLIENT: KeyPurposeId<'static> =
            KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]);
        let present = usages.collect::<Result<Vec<_>, _>>()?;
        let has = |usage| present.is_empty() || present.contains(&ANY) || present.contains(&usage);
        let fits = match self.0 {
            Purpose::Any | Purpose::Ca => true,
            Purpose::Client => has(CLIENT),
            Purpose::Peer => has(SERVER) && has(CLIENT),
            Purpose::Server => has(SERVER),
        };
        // The rules report the usages, so this error needs no details.
        if fits { Ok(()) } else { Err(PathError::EmptyEkuExtension) }
    }
}

/// webpki's errors as text. For most of them, a rule reports more details.
pub(super) const fn reason(error: &PathError) -> &'static str {
    match error {
        PathError::BadDer | PathError::TrailingData(_) => "it is not a certificate in DER",
        PathError::BadDerTime => "one of its times is not in DER",
        PathError::CaUsedAsEndEntity => "it is a CA",
        PathError::CertExpired { .. } => "a certificate has expired",
        PathError::CertNotValidYet { .. } => "a certificate is not valid yet",
        PathError::EmptyEkuExtension => "an extKeyUsage does not allow the purpose",
        PathError::EndEntityUsedAsCa => "an issuer is not a CA",
        PathError::ExtensionValueInvalid | PathError::MalformedExtensions => {
            "an extension cannot be read"
        }
        PathError::InvalidCertValidity => "the notAfter of a certificate is before its notBefore",
        PathError::InvalidNetworkMaskConstraint | PathError::MalformedNameConstraint => {
            "a name constraint cannot be read"
        }
        PathError::InvalidSignatureForPublicKey => "a signature was not made with the issuer's key",
        PathError::MalformedDnsIdentifier => "a DNS name cannot be read",
        PathError::MaximumNameConstraintComparisonsExceeded => {
            "it has too many names and constraints to compare"
        }
        PathError::MaximumPathBuildCallsExceeded
        | PathError::MaximumPathDepthExceeded
        | PathError::MaximumSignatureChecksExceeded => {
            "there are too many possible issuers to try them all"
        }
        PathError::NameConstraintViolation => "a name is outside the constraints of a CA above it",
        PathError::PathLenConstraintViolated => "a CA has more CAs below it than it allows",
        PathError::SignatureAlgorithmMismatch => "its two signature algorithms differ",
        PathError::UnsupportedCertVersion => "it is not an X.509 version 3 certificate",
        PathError::UnsupportedCriticalExtension => "a critical extension is not supported",
        PathError::UnsupportedSignatureAlgorithmContext(_)
        | PathError::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a signature algorithm is not supported, or does not fit the issuer's key"
        }
        _ => "rustls-webpki rejects it",
    }
}
