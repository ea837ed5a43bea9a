//! rustls-webpki, which is asked for paths.

use std::cell::RefCell;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error as PathError, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter,
    VerifiedPath,
};

use super::search::{Best, Path, Question};
use crate::certificate::Certificate;
use crate::usage::Purpose;

/// The anchors as webpki has them: a name, a key and constraints.
///
/// A CA and its renewal are one anchor to webpki. Each is listed once, with the places of all
/// certificates that it stands for.
#[derive(Default)]
pub(super) struct WebpkiAnchors {
    anchors: Vec<TrustAnchor<'static>>,
    certificates: Vec<Vec<usize>>,
}

impl WebpkiAnchors {
    /// Leaves out what webpki does not take: one bad anchor must not spoil the others.
    pub(super) fn new(certificates: &[Certificate]) -> Self {
        let mut all = Self::default();
        for (at, certificate) in certificates.iter().enumerate() {
            let der = CertificateDer::from(certificate.der());
            let Ok(anchor) = webpki::anchor_from_trusted_cert(&der) else { continue };
            if let Some(known) = all.anchors.iter().position(|known| *known == anchor) {
                all.certificates[known].push(at);
            } else {
                all.anchors.push(anchor.to_owned());
                all.certificates.push(vec![at]);
            }
        }
        all
    }
}

/// Asks webpki for paths until the rules accept one.
///
/// CRLs are left to the rules, which hold on the walk too and check each CRL once.
pub(super) fn find(question: &Question<'_>, best: &mut Best) -> Result<(), PathError> {
    let der = CertificateDer::from(question.leaf.der());
    let end_entity = EndEntityCert::try_from(&der)?;
    let known = question.known.iter();
    let intermediates: Vec<CertificateDer<'_>> =
        known.map(|ca| CertificateDer::from(ca.der())).collect();
    // webpki compares whole seconds since 1970, which every ASN.1 time of a CA in use is past.
    let seconds = u64::try_from(question.options.at.unix_timestamp()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let best = RefCell::new(best);
    let judge = |found: &VerifiedPath<'_>| {
        // Any certificate of the anchor that is accepted is enough.
        let accepted = paths(question, found).any(|path| {
            let (findings, refusal) = question.judge(&path);
            best.borrow_mut().offer(path.to_report(None, refusal, findings))
        });
        if accepted { Ok(()) } else { Err(PathError::UnknownIssuer) }
    };
    end_entity.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &question.verifier.webpki_anchors.anchors,
        &intermediates,
        now,
        Usages(question.options.purpose),
        None,
        Some(&judge),
    )?;
    Ok(())
}

/// The path in our certificates, once for each certificate of its anchor.
fn paths<'q>(
    question: &'q Question<'q>,
    found: &VerifiedPath<'_>,
) -> impl Iterator<Item = Path<'q>> {
    let mut below = vec![question.leaf];
    for ca in found.intermediate_certificates() {
        let der = ca.der();
        below.extend(question.known.iter().find(|known| known.der() == der.as_ref()));
    }
    let WebpkiAnchors { anchors, certificates } = &question.verifier.webpki_anchors;
    let at = anchors.iter().position(|anchor| anchor == found.anchor());
    let twins = at.map(|at| certificates[at].as_slice()).unwrap_or_default();
    twins.iter().map(move |at| Path::verified(&below, &question.verifier.anchors[*at]))
}

/// What webpki says of a certificate by itself.
pub(super) fn parse(certificate: &Certificate) -> Result<(), PathError> {
    EndEntityCert::try_from(&CertificateDer::from(certificate.der())).map(|_| ())
}

/// The extended key usages that a purpose needs, of the leaf and of the CAs that name any.
///
/// anyExtendedKeyUsage serves every purpose, as Go has it.
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
        // The rules name the usages; this only has to say no.
        if fits { Ok(()) } else { Err(PathError::EmptyEkuExtension) }
    }
}

/// webpki's reasons in words. Most have a rule that says more.
pub(super) const fn reason(error: &PathError) -> &'static str {
    match error {
        PathError::BadDer | PathError::TrailingData(_) => "it is not the DER of a certificate",
        PathError::BadDerTime => "one of its times is not in DER",
        PathError::CaUsedAsEndEntity => "it is a CA",
        PathError::CertExpired { .. } => "a certificate has expired",
        PathError::CertNotValidYet { .. } => "a certificate is not valid yet",
        PathError::EmptyEkuExtension => "an extKeyUsage does not allow the purpose",
        PathError::EndEntityUsedAsCa => "an issuer is not a CA",
        PathError::ExtensionValueInvalid | PathError::MalformedExtensions => {
            "an extension cannot be read"
        }
        PathError::InvalidCertValidity => "a certificate ends before it begins",
        PathError::InvalidNetworkMaskConstraint | PathError::MalformedNameConstraint => {
            "a name constraint cannot be read"
        }
        PathError::InvalidSignatureForPublicKey => "a signature is not by the issuer's key",
        PathError::MalformedDnsIdentifier => "a DNS name cannot be read",
        PathError::MaximumNameConstraintComparisonsExceeded => {
            "it has more names and constraints than can be compared"
        }
        PathError::MaximumPathBuildCallsExceeded
        | PathError::MaximumPathDepthExceeded
        | PathError::MaximumSignatureChecksExceeded => {
            "there are too many possible issuers to try them all"
        }
        PathError::NameConstraintViolation => "a name is outside the constraints of a CA above it",
        PathError::PathLenConstraintViolated => "more CAs stand below a CA than it allows",
        PathError::SignatureAlgorithmMismatch => "its two signature algorithms differ",
        PathError::UnsupportedCertVersion => "it is not an X.509 version 3 certificate",
        PathError::UnsupportedCriticalExtension => "a critical extension is not supported",
        PathError::UnsupportedSignatureAlgorithmContext(_)
        | PathError::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a signature algorithm is not supported, or does not fit the issuer's key"
        }
        _ => "rustls-webpki refuses it",
    }
}
