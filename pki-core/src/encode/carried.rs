//! To-be-signed structures whose fields are copied unchanged.
//!
//! Each field is a slice of the bytes that it was read from, so a field that is not replaced stays the same byte for byte.
//! x509-cert's own `TbsCertificate` cannot guarantee that: it decodes names and times and encodes them again, which sorts
//! the values of an RDN and changes the encoding of some times.

use der::asn1::BitStringRef;
use der::{AnyRef, Decode, Encode, Sequence, Tag};
use rustls_pki_types::AlgorithmIdentifier;

use super::errors::failed;
use super::signatory::signature_algorithm;
use crate::error::Error;
use crate::key::PublicKey;

/// `SIGNED{ToBeSigned}`: the outer form of certificates, CRLs and requests (X.509).
#[derive(Sequence)]
struct Signed<'a> {
    body: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

/// RFC 5280 section 4.1
#[derive(Sequence)]
pub(super) struct TbsCertificate<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) version: Option<AnyRef<'a>>,
    pub(super) serial: AnyRef<'a>,
    pub(super) signature: AnyRef<'a>,
    pub(super) issuer: AnyRef<'a>,
    pub(super) validity: AnyRef<'a>,
    pub(super) subject: AnyRef<'a>,
    pub(super) public_key: AnyRef<'a>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) issuer_unique_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) subject_unique_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) extensions: Option<Vec<AnyRef<'a>>>,
}

/// RFC 5280 section 5.1, version 2.
#[derive(Sequence)]
pub(super) struct TbsCertList<'a> {
    pub(super) version: u8,
    pub(super) signature: AnyRef<'a>,
    pub(super) issuer: AnyRef<'a>,
    pub(super) this_update: AnyRef<'a>,
    pub(super) next_update: AnyRef<'a>,
    pub(super) revoked: Option<Vec<AnyRef<'a>>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) extensions: AnyRef<'a>,
}

/// RFC 2986 section 4.1. The attributes keep their tag, `[0]`.
#[derive(Sequence)]
pub(super) struct CertificationRequestInfo<'a> {
    pub(super) version: u8,
    pub(super) subject: AnyRef<'a>,
    pub(super) public_key: AnyRef<'a>,
    pub(super) attributes: AnyRef<'a>,
}

/// The to-be-signed structure in rcgen's output.
pub(super) fn body<'a, T>(written: &'a [u8]) -> Result<T, Error>
where
    T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
{
    let body = Signed::from_der(written).and_then(|signed| signed.body.decode_as());
    body.map_err(|error| failed(&error))
}

/// The TBSCertificate of a certificate, which another program may have written.
pub(super) fn carried(certificate: &[u8]) -> Result<TbsCertificate<'_>, Error> {
    let tbs = Signed::from_der(certificate).and_then(|signed| signed.body.decode_as());
    tbs.map_err(|error| Error::bad_der("a certificate that can be renewed", certificate, &error))
}

/// A TBSCertificate with its own algorithm and an empty signature, so that it can be read and checked.
pub(crate) fn unsigned_certificate(tbs: &[u8]) -> Result<Vec<u8>, Error> {
    let read = TbsCertificate::from_der(tbs);
    let read = read.map_err(|e| Error::bad_der("a to-be-signed certificate", tbs, &e))?;
    unsigned(tbs, read.signature)
}

/// The same for a TBSCertList.
pub(crate) fn unsigned_crl(tbs: &[u8]) -> Result<Vec<u8>, Error> {
    let read = TbsCertList::from_der(tbs);
    let read = read.map_err(|e| Error::bad_der("a to-be-signed CRL", tbs, &e))?;
    unsigned(tbs, read.signature)
}

/// The same for a CertificationRequestInfo, which is signed with the algorithm of its key.
pub(crate) fn unsigned_request(info: &[u8]) -> Result<Vec<u8>, Error> {
    let failed = |e| Error::bad_der("a to-be-signed certification request", info, &e);
    let read = CertificationRequestInfo::from_der(info).map_err(failed)?;
    let key = PublicKey::from_spki_der(&read.public_key.to_der().map_err(failed)?)?;
    let algorithm = signature_algorithm(&key)?.identifier();
    unsigned(info, identifier(&algorithm)?)
}

pub(super) fn unsigned(body: &[u8], algorithm: AnyRef<'_>) -> Result<Vec<u8>, Error> {
    let empty = BitStringRef::from_bytes(&[]).map_err(|error| failed(&error))?;
    let signed = Signed { body: element(body)?, algorithm, signature: empty };
    signed.to_der().map_err(|error| failed(&error))
}

/// The same with its signature. No other byte changes.
pub(crate) fn signed(unsigned: &[u8], signature: &[u8]) -> Result<Vec<u8>, Error> {
    let parts = Signed::from_der(unsigned).map_err(|error| failed(&error))?;
    let signature = BitStringRef::from_bytes(signature).map_err(|error| failed(&error))?;
    Signed { signature, ..parts }.to_der().map_err(|error| failed(&error))
}

/// The AlgorithmIdentifier of a signature, with its header.
pub(super) fn identifier(contents: &AlgorithmIdentifier) -> Result<AnyRef<'_>, Error> {
    AnyRef::new(Tag::Sequence, contents.as_ref()).map_err(|error| failed(&error))
}

/// One element of DER, unchanged.
pub(super) fn element(der: &[u8]) -> Result<AnyRef<'_>, Error> {
    AnyRef::from_der(der).map_err(|error| Error::bad_der("a name or a key in DER", der, &error))
}
