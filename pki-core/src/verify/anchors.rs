//! The anchors of a verifier as webpki reads them.

use rustls_pki_types::{CertificateDer, TrustAnchor};

use crate::certificate::Certificate;

/// The anchors for webpki: a name, a key and constraints.
///
/// A CA and its renewed certificate are the same anchor for webpki. Each anchor is listed once, with the positions of all
/// its certificates.
#[derive(Default)]
pub(super) struct WebpkiAnchors {
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    pub(super) certificates: Vec<Vec<usize>>,
}

impl WebpkiAnchors {
    /// Omits anchors that webpki cannot read, so that one bad anchor does not affect the others.
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
