//! rustls-webpki, asked for paths and for names.

use std::cell::RefCell;

use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error as PathError, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter,
    VerifiedPath,
};

use super::{Best, Verifier};
use crate::certificate::Certificate;
use crate::rules::VerifyOptions;
use crate::usage::Purpose;

impl Verifier {
    /// Asks webpki for paths until the rules accept one.
    ///
    /// CRLs are left to the rules, which hold on the walk too and check each CRL once.
    pub(super) fn build(
        &self,
        leaf: &Certificate,
        known: &[&Certificate],
        options: &VerifyOptions,
        best: &mut Best,
    ) -> Result<(), PathError> {
        let der = CertificateDer::from(leaf.der());
        let end_entity = EndEntityCert::try_from(&der)?;
        let intermediates: Vec<CertificateDer<'_>> =
            known.iter().map(|ca| CertificateDer::from(ca.der())).collect();
        // webpki compares whole seconds since 1970, which every ASN.1 time of a CA in use is past.
        let seconds = u64::try_from(options.at.unix_timestamp()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let best = RefCell::new(best);
        let judge = |path: &VerifiedPath<'_>| {
            let path = self.certificates_of(path, leaf, known);
            let ok = best.borrow_mut().offer(self.check_path(&path, options));
            if ok { Ok(()) } else { Err(PathError::UnknownIssuer) }
        };
        end_entity.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &self.trust,
            &intermediates,
            now,
            options.purpose,
            None,
            Some(&judge),
        )?;
        Ok(())
    }

    fn certificates_of<'a>(
        &'a self,
        path: &VerifiedPath<'_>,
        leaf: &'a Certificate,
        known: &[&'a Certificate],
    ) -> Vec<&'a Certificate> {
        let mut certificates = vec![leaf];
        for ca in path.intermediate_certificates() {
            let der = ca.der();
            certificates.extend(known.iter().find(|known| known.der() == der.as_ref()));
        }
        let position = self.trust.iter().position(|anchor| anchor == path.anchor());
        certificates.extend(position.map(|index| &self.anchors[self.trust_at[index]]));
        certificates
    }
}

/// The certificate as webpki keeps an anchor.
pub(super) fn anchor(certificate: &Certificate) -> Result<TrustAnchor<'static>, PathError> {
    let der = CertificateDer::from(certificate.der());
    webpki::anchor_from_trusted_cert(&der).map(|anchor| anchor.to_owned())
}

/// The hosts that the leaf's names do not match.
pub(super) fn unmatched(leaf: &Certificate, hosts: &[ServerName<'static>]) -> Vec<String> {
    if hosts.is_empty() {
        return Vec::new();
    }
    let der = CertificateDer::from(leaf.der());
    let leaf = EndEntityCert::try_from(&der).ok();
    let matches = |host: &&ServerName<'static>| {
        leaf.as_ref().is_some_and(|leaf| leaf.verify_is_valid_for_subject_name(host).is_ok())
    };
    hosts.iter().filter(|host| !matches(host)).map(|host| host.to_str().into_owned()).collect()
}

/// The extended key usages that a purpose needs, of the leaf and of the CAs that name any.
///
/// anyExtendedKeyUsage serves every purpose, as Go has it.
impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), PathError> {
        const ANY: KeyPurposeId<'static> = KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0x00]);
        const SERVER: KeyPurposeId<'static> =
            KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]);
        const CLIENT: KeyPurposeId<'static> =
            KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]);
        let present = usages.collect::<Result<Vec<_>, _>>()?;
        let has = |usage| present.is_empty() || present.contains(&ANY) || present.contains(&usage);
        let fits = match self {
            Self::Any => true,
            Self::Client => has(CLIENT),
            Self::Peer => has(SERVER) && has(CLIENT),
            Self::Server => has(SERVER),
        };
        // The rules name the usages; this only has to say no.
        if fits { Ok(()) } else { Err(PathError::EmptyEkuExtension) }
    }
}

/// webpki's reasons in words.
pub(super) fn path_error_text(error: &PathError) -> String {
    match error {
        PathError::BadDer | PathError::BadDerTime => "its DER is damaged".to_owned(),
        PathError::CaUsedAsEndEntity => "a CA certificate stands where a leaf belongs".to_owned(),
        PathError::EmptyEkuExtension => "its extKeyUsage does not allow the purpose".to_owned(),
        PathError::InvalidSignatureForPublicKey => {
            "the signature does not verify with the key of the CA that it names".to_owned()
        }
        PathError::NameConstraintViolation => {
            "a name is outside the constraints of a CA above it".to_owned()
        }
        PathError::PathLenConstraintViolated => "more CAs than a CA above them allows".to_owned(),
        PathError::UnsupportedSignatureAlgorithmContext(_)
        | PathError::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "its signature algorithm is none that is verified, or none for the CA's key".to_owned()
        }
        PathError::UnsupportedCertVersion => "it is no X.509v3 certificate".to_owned(),
        other => format!("the path builder refuses it: {other:?}"),
    }
}
