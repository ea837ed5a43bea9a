//! Drafts: the data to sign, checked before the key is used.
//!
//! Signing has two steps, so that the rules run before the key is used, and so that the key can be anywhere. A [`Draft`]
//! has the bytes to sign ([`Draft::tbs`]) and becomes a certificate, a CRL or a request exactly once: with [`Draft::sign`]
//! and a [`Signer`], or with [`Draft::assemble`] and a signature that was made elsewhere.

mod check;
mod request;

use time::OffsetDateTime;

pub(crate) use self::check::{ServerNames, findings_of_ca};
use crate::certificate::{Certificate, CertificateRequest};
use crate::crl::Crl;
use crate::encode;
use crate::error::{Error, Input};
use crate::finding::Finding;
use crate::key::{KeyId, PublicKey, Signer};
use crate::request::LeftOut;

/// A certificate, a CRL or a certification request that was checked and is not signed yet.
///
/// It can be signed only once:
///
/// ```compile_fail
/// fn twice(draft: pki_core::Draft, key: &pki_core::PrivateKey) {
///     let _ = draft.sign(key);
///     let _ = draft.sign(key);
/// }
/// ```
///
/// # A signer in another process
///
/// Only the bytes to sign must be transferred. The process that receives the signature checks them again, because it does
/// not know about the first check.
///
/// ```
/// use pki_core::{
///     Authority, CaRequest, Certificate, Draft, IssuanceContext, IssuedBy, KeyAlgorithm, PrivateKey,
///     SerialNumber, Signer, Subject,
/// };
/// use time::macros::datetime;
///
/// # fn main() -> Result<(), pki_core::Error> {
/// # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// let now = datetime!(2027-01-01 00:00 UTC);
/// let context = IssuanceContext { now, serial: SerialNumber::from_random([7; 20]) };
/// let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
///
/// // Here, where the public key is.
/// let tbs = Authority::draft_root(&request, key.public_key(), &context)?.tbs().to_vec();
/// // On the machine with the private key.
/// let signature = key.sign(&tbs).map_err(pki_core::Error::Signer)?;
/// // Here again, perhaps days later.
/// let draft = Draft::<Certificate>::from_tbs(&tbs, IssuedBy::Itself, now)?;
/// let ca = draft.assemble(&signature)?.certificate;
/// # assert!(ca.is_ca());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Draft<T = Certificate> {
    /// The whole structure with an empty signature.
    unsigned: T,
    signer: PublicKey,
    findings: Vec<Finding>,
    left_out: Vec<LeftOut>,
}

/// The signer of a certificate.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a certificate is signed by a CA or by its own key")]
pub enum IssuedBy<'a> {
    /// The key of this CA certificate.
    Ca(&'a Certificate),
    /// The key that it certifies, for a root.
    Itself,
}

/// An issued certificate, with additional information.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The certificate.
    pub certificate: Certificate,
    /// Warnings of the rules, worst first.
    pub findings: Vec<Finding>,
    /// Parts of a PKCS #10 request that its profile does not allow.
    pub left_out: Vec<LeftOut>,
}

/// A structure that can be drafted and signed: a [`Certificate`], a [`Crl`] or a [`CertificateRequest`].
pub trait Signable: sealed::Sealed + Sized {
    /// The result of signing a draft.
    type Issued;

    /// Whether whoever receives it must verify its signature before it has any effect.
    #[doc(hidden)]
    const IS_VERIFIED_BY_RECEIVER: bool = false;

    #[doc(hidden)]
    fn to_be_signed(&self) -> &[u8];

    #[doc(hidden)]
    fn signed(self, signature: &[u8]) -> Result<Self, Error>;

    #[doc(hidden)]
    fn is_by(&self, key: &PublicKey) -> bool;

    #[doc(hidden)]
    fn issued(self, findings: Vec<Finding>, left_out: Vec<LeftOut>) -> Self::Issued;
}

mod sealed {
    pub trait Sealed {}
}

impl<T: Signable> Draft<T> {
    pub(crate) const fn new(unsigned: T, signer: PublicKey, findings: Vec<Finding>) -> Self {
        Self { unsigned, signer, findings, left_out: Vec::new() }
    }

    /// The bytes to sign.
    pub fn tbs(&self) -> &[u8] {
        self.unsigned.to_be_signed()
    }

    /// The parsed structure, with an empty signature.
    pub const fn contents(&self) -> &T {
        &self.unsigned
    }

    /// Warnings of the rules, worst first. What they forbid is never drafted.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Signs with the key that must sign it: the CA's, or for a root or a request its own.
    ///
    /// The signature of a certificate or a CRL is verified. That of a request is not, because the CA that receives the
    /// request verifies it as the proof of possession (RFC 2986 section 3).
    pub fn sign(self, signer: &dyn Signer) -> Result<T::Issued, Error> {
        let (given, expected) = (signer.public_key(), &self.signer);
        if given != expected {
            let problem = format!("not the key that must sign, which is {}", expected.key_id());
            return Err(Error::invalid("key", given.key_id().to_string(), problem)
                .hinted("use the key of the CA certificate")
                .of(Input::Authority));
        }
        let signature = signer.sign(self.tbs()).map_err(Error::Signer)?;
        if T::IS_VERIFIED_BY_RECEIVER {
            return Ok(self.unsigned.signed(&signature)?.issued(self.findings, self.left_out));
        }
        self.assemble(&signature)
    }

    /// Adds a signature over [`Draft::tbs`] that was made elsewhere, and verifies it.
    pub fn assemble(self, signature: &[u8]) -> Result<T::Issued, Error> {
        let signed = self.unsigned.signed(signature)?;
        if !signed.is_by(&self.signer) {
            return Err(Error::Signer(
                "the public key of the signer does not verify its signature".into(),
            ));
        }
        Ok(signed.issued(self.findings, self.left_out))
    }
}

impl Draft<Certificate> {
    /// The draft for the to-be-signed bytes `tbs`, checked again at `now` with the same rules as in
    /// [`Authority::draft`](crate::Authority::draft).
    pub fn from_tbs(
        tbs: &[u8],
        issued_by: IssuedBy<'_>,
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let unsigned = Certificate::from_der(&encode::unsigned_certificate(tbs)?)?;
        Self::checked(unsigned, issued_by, now, ServerNames::Required)
    }

    /// Checks a certificate with an empty signature.
    pub(crate) fn checked(
        unsigned: Certificate,
        issued_by: IssuedBy<'_>,
        now: OffsetDateTime,
        names: ServerNames,
    ) -> Result<Self, Error> {
        let ca = match issued_by {
            IssuedBy::Ca(ca) => Some(ca),
            IssuedBy::Itself => None,
        };
        if let Some(ca) = ca {
            check_key(&unsigned.public_key, ca)?;
        }
        let signer = ca.map_or(&unsigned.public_key, |ca| &ca.public_key).clone();
        check_algorithm(unsigned.signature_algorithm_der(), &signer)?;
        let findings = check::certificate(&unsigned, ca, now, names)?;
        Ok(Self::new(unsigned, signer, findings))
    }

    /// The same draft, with what the profile left out.
    #[cfg(feature = "profiles")]
    pub(crate) fn leaving_out(self, left_out: Vec<LeftOut>) -> Self {
        Self { left_out, ..self }
    }

    /// Parts of a PKCS #10 request that its profile does not allow.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}

impl Draft<Crl> {
    /// The draft for the to-be-signed bytes `tbs`, checked again at `now` with the same rules as in
    /// [`Authority::draft_crl`](crate::Authority::draft_crl).
    pub fn from_tbs(tbs: &[u8], ca: &Certificate, now: OffsetDateTime) -> Result<Self, Error> {
        Self::checked(Crl::from_der(&encode::unsigned_crl(tbs)?)?, ca, now)
    }

    /// Checks a CRL with an empty signature.
    pub(crate) fn checked(
        unsigned: Crl,
        ca: &Certificate,
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        check_algorithm(unsigned.signature_algorithm_der(), &ca.public_key)?;
        let findings = check::crl(&unsigned, ca, now)?;
        Ok(Self::new(unsigned, ca.public_key.clone(), findings))
    }
}

impl Draft<CertificateRequest> {
    /// The draft for the to-be-signed bytes `tbs`, checked again as in [`CertificateRequest::draft`].
    pub fn from_tbs(tbs: &[u8]) -> Result<Self, Error> {
        let unsigned = CertificateRequest::from_der(&encode::unsigned_request(tbs)?)?;
        let signer = unsigned.public_key.clone();
        Ok(Self::new(unsigned, signer, Vec::new()))
    }
}

/// The holder of a certificate for the CA's own key could sign as the CA.
fn check_key(public_key: &PublicKey, ca: &Certificate) -> Result<(), Error> {
    if *public_key != ca.public_key {
        return Ok(());
    }
    let key_id = public_key.key_id().to_string();
    Err(Error::not_admitted("public key", key_id, "it is the key of the CA itself")
        .hinted("generate a separate key for the certificate"))
}

/// A to-be-signed structure states the algorithm that it is signed with. It has to be the key's.
fn check_algorithm(stated: &[u8], signer: &PublicKey) -> Result<(), Error> {
    if encode::signature_algorithm(signer)?.identifier().as_ref() == stated {
        return Ok(());
    }
    let problem =
        format!("not the algorithm that a key of type {} signs with", signer.algorithm_name());
    Err(Error::invalid("signature algorithm", KeyId(stated.to_vec()).to_string(), problem)
        .hinted("draft it again for the signing key"))
}

impl sealed::Sealed for Certificate {}

impl Signable for Certificate {
    type Issued = Issued;

    fn to_be_signed(&self) -> &[u8] {
        self.tbs()
    }

    fn signed(self, signature: &[u8]) -> Result<Self, Error> {
        let der = encode::signed(self.der(), signature)?;
        self.with_signature(der).ok_or_else(changed)
    }

    fn is_by(&self, key: &PublicKey) -> bool {
        self.is_signed_by(key)
    }

    fn issued(self, findings: Vec<Finding>, left_out: Vec<LeftOut>) -> Issued {
        Issued { certificate: self, findings, left_out }
    }
}

impl sealed::Sealed for Crl {}

impl Signable for Crl {
    type Issued = Self;

    fn to_be_signed(&self) -> &[u8] {
        self.tbs()
    }

    fn signed(self, signature: &[u8]) -> Result<Self, Error> {
        let der = encode::signed(self.der(), signature)?;
        self.with_signature(der).ok_or_else(changed)
    }

    fn is_by(&self, key: &PublicKey) -> bool {
        self.is_signed_by(key)
    }

    fn issued(self, _: Vec<Finding>, _: Vec<LeftOut>) -> Self {
        self
    }
}

impl sealed::Sealed for CertificateRequest {}

impl Signable for CertificateRequest {
    type Issued = Self;

    const IS_VERIFIED_BY_RECEIVER: bool = true;

    fn to_be_signed(&self) -> &[u8] {
        self.tbs()
    }

    fn signed(self, signature: &[u8]) -> Result<Self, Error> {
        let der = encode::signed(self.der(), signature)?;
        self.with_signature(der).ok_or_else(changed)
    }

    fn is_by(&self, key: &PublicKey) -> bool {
        self.public_key == *key && self.is_self_signed()
    }

    fn issued(self, _: Vec<Finding>, _: Vec<LeftOut>) -> Self {
        self
    }
}

fn changed() -> Error {
    Error::Internal("adding the signature changed the signed bytes".to_owned())
}
