//! The certificates of a CA: the contents of its ca.pem.

use std::path::Path;

use pki_core::{CaSet, Certificate, CertificateFile};

use super::paths::certificate_path;
use crate::failure::Failure;
use crate::store;

/// The certificates in a CA's ca.pem: its own first, then the CAs above it in order. It can also contain other roots, which
/// everybody who gets the whole file trusts.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    ca: Certificate,
    others: Vec<Certificate>,
}

impl Chain {
    /// Checks the certificates of a file, of which there is at least one.
    pub(crate) fn in_order(mut certificates: Vec<Certificate>) -> Result<Self, Failure> {
        if certificates.is_empty() {
            return Err(Failure::bug("a file of certificates without any"));
        }
        Self::from_certificates(certificates.remove(0), certificates)
    }

    /// The certificates in this order, checked as those of a file are.
    pub(crate) fn from_certificates(
        ca: Certificate,
        others: Vec<Certificate>,
    ) -> Result<Self, Failure> {
        let chain = Self { ca, others };
        chain.check()?;
        Ok(chain)
    }

    /// The chain of a root.
    pub(crate) const fn of(ca: Certificate) -> Self {
        Self { ca, others: Vec::new() }
    }

    /// The chain of a CA below another one.
    pub(crate) fn below(ca: Certificate, above: &Self) -> Self {
        Self { ca, others: above.all().cloned().collect() }
    }

    /// The chain of a CA, with those above it that are among `known`, up to the root.
    pub(crate) fn among(ca: Certificate, known: &[Certificate]) -> Self {
        let mut chain = Self::of(ca);
        loop {
            let top = chain.others.last().unwrap_or(&chain.ca);
            let is_new = |ca: &&Certificate| chain.all().all(|other| other.der() != ca.der());
            let mut above = known.iter().filter(is_new);
            let above = above.find(|ca| !top.is_self_issued() && issued_by(ca, top)).cloned();
            match above {
                Some(above) => chain.others.push(above),
                None => return chain,
            }
        }
    }

    /// The contents of ca.pem.
    pub(crate) fn to_pem(&self) -> Result<String, pki_core::Error> {
        self.all().map(Certificate::to_pem).collect()
    }

    /// The CA that issues, those above it, and the roots that are trusted. `folder` is that of the CA.
    pub(crate) fn set(&self, folder: &Path) -> Result<CaSet, Failure> {
        let set = CaSet::new(self.all().cloned().collect());
        set.map_err(|error| Failure::from(error).in_file(&certificate_path(folder)))
    }

    /// The CA's own certificate.
    pub(crate) const fn ca(&self) -> &Certificate {
        &self.ca
    }

    /// Every certificate of the file, the CA's own first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.ca).chain(&self.others)
    }

    /// The new root of a rotation that is under way, if this CA is the one that it replaces.
    pub(crate) fn successor(&self) -> Option<&Certificate> {
        let mut roots = self.others.iter().filter(|other| other.is_self_issued());
        roots.find(|root| {
            root.public_key != self.ca.public_key && root.not_before > self.ca.not_before
        })
    }

    /// The CAs between a leaf and the root, the one that signs first. A root has none.
    pub(crate) fn intermediates(&self) -> impl Iterator<Item = &Certificate> {
        self.all().filter(|ca| !ca.is_self_issued())
    }

    /// The roots in the file that are not above the CA.
    pub(crate) fn other_roots(&self) -> impl Iterator<Item = &Certificate> {
        let top = self.intermediates().last().unwrap_or(&self.ca);
        let is_other = |root: &&Certificate| root.is_self_issued() && root.der() != self.ca.der();
        self.others.iter().filter(is_other).filter(move |root| !issued_by(root, top))
    }

    fn check(&self) -> Result<(), Failure> {
        self.check_order()?;
        self.check_signatures()
    }

    /// Checks that each certificate is signed by its issuer, if the issuer is in the file and uses a supported algorithm.
    /// Programs do not check the signature of a root that they trust, so a change in it would go unnoticed.
    fn check_signatures(&self) -> Result<(), Failure> {
        for ca in self.all() {
            let is_issuer = |other: &&Certificate| {
                other.subject.der() == ca.issuer.der() || (*other == ca && names_its_own_key(ca))
            };
            let issuers: Vec<&Certificate> = self.all().filter(is_issuer).collect();
            let may_have_signed = |issuer: &&Certificate| {
                ca.is_signed_by(&issuer.public_key) || !ca.is_checkable_with(&issuer.public_key)
            };
            if !issuers.is_empty() && !issuers.iter().any(may_have_signed) {
                return Err(Failure::usage(format!(
                    "the signature of {} is wrong: the certificate was changed after it was signed, or the certificate of the CA that signed it is not in the file",
                    ca.subject
                ))
                .hinted("restore ca.pem from a backup, or add the CA that signed it"));
            }
        }
        Ok(())
    }

    fn check_order(&self) -> Result<(), Failure> {
        let mut below = &self.ca;
        for above in self.others.iter().filter(|ca| !ca.is_self_issued()) {
            if below.issuer.der() != above.subject.der() {
                return Err(Failure::usage(format!(
                    "{} follows {}, but is not its issuer",
                    above.subject, below.subject
                ))
                .hinted(
                    "put the CA first, then the CAs above it in order, and remove all others",
                ));
            }
            below = above;
        }
        Ok(())
    }
}

/// Whether a certificate claims to be signed by its own key. Only such a certificate may omit the identifier of the
/// issuer's key (RFC 5280 section 4.2.1.1).
fn names_its_own_key(ca: &Certificate) -> bool {
    let signer = ca.extensions.authority_key_id.as_ref().and_then(|aki| aki.key_id.as_ref());
    signer.is_none() || signer == ca.extensions.subject_key_id.as_ref()
}

/// Whether a CA issued a certificate, by name and signature.
pub(crate) fn issued_by(ca: &Certificate, certificate: &Certificate) -> bool {
    certificate.issuer.der() == ca.subject.der() && certificate.is_signed_by(&ca.public_key)
}

/// Reads every certificate of a file; there is at least one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    Certificate::from_pem_or_der(&store::read(path)?)
        .map_err(|error| Failure::from(error).in_file(path))
}

/// The same, with what etcd cannot read in the file.
pub(crate) fn read_certificate_file(path: &Path) -> Result<CertificateFile, Failure> {
    CertificateFile::from_bytes(&store::read(path)?)
        .map_err(|error| Failure::from(error).in_file(path))
}
