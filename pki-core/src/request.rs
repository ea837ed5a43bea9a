//! Requests to a CA: for certificates, CAs and CRLs.

mod csr;

use std::fmt;

use time::{Duration, OffsetDateTime};

#[cfg(feature = "profiles")]
use crate::certificate::Certificate;
use crate::certificate::Extension;
use crate::crl::RevokedCertificate;
use crate::key::PublicKey;
#[cfg(feature = "profiles")]
use crate::lifetime::limited_by_ca;
use crate::lifetime::{Lifetime, RENEW_BEFORE};
use crate::name::{San, Uri};
use crate::oid::Oid;
use crate::subject::Subject;
use crate::template::NameConstraint;

/// A request for a certificate. A [`Profile`](crate::Profile) decides which parts of it are used.
///
/// Each part has a source ([`Asked`]): the operator of the CA, or a PKCS #10 request from another person. The profile's
/// `CSRWhitelist` limits what a PKCS #10 request can set, but not what the operator can set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The subject.
    pub subject: Asked<Subject>,
    /// The subject alternative names.
    pub names: Asked<Vec<San>>,
    /// The key to certify.
    pub public_key: PublicKey,
    /// The extensions in a PKCS #10 request. The profile decides which of them are copied.
    pub extensions: Vec<Extension>,
    /// The lifetime.
    pub lifetime: Lifetime,
    /// How long before it expires the certificate will be renewed. A CA with less time left than this issues no
    /// certificate with a shortened lifetime.
    pub renew_before: Duration,
    /// The name that stands for `{cn}` and `{label}` in the names that a profile adds, if the subject has no common name.
    pub label: Option<String>,
}

impl Request {
    /// The notAfter that this CA gives the certificate instead of `requested`.
    #[cfg(feature = "profiles")]
    pub(crate) fn limited_by(
        &self,
        ca: &Certificate,
        requested: OffsetDateTime,
        now: OffsetDateTime,
    ) -> OffsetDateTime {
        limited_by_ca(requested, ca.not_after, now, self.lifetime, self.renew_before)
    }
}

/// A part of a request, and its source.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a request has no other sources")]
pub enum Asked<T> {
    /// The operator of the CA, in an option, a manifest or a CSR JSON.
    ByOperator(T),
    /// A PKCS #10 request from another person.
    ByCsr(T),
}

impl<T> Asked<T> {
    /// The requested value.
    pub const fn value(&self) -> &T {
        match self {
            Self::ByOperator(value) | Self::ByCsr(value) => value,
        }
    }
}

impl Request {
    /// A request from the operator.
    ///
    /// ```
    /// use pki_core::{KeyAlgorithm, PrivateKey, Request, Signer, Subject};
    ///
    /// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// let subject = Subject::from_common_name("etcdone")?;
    /// let names = vec!["192.168.29.61".parse()?, "etcdone.example.com".parse()?];
    /// let request = Request::new(subject, names, key.public_key().clone());
    /// # Ok::<(), pki_core::Error>(())
    /// ```
    pub const fn new(subject: Subject, names: Vec<San>, public_key: PublicKey) -> Self {
        Self {
            subject: Asked::ByOperator(subject),
            names: Asked::ByOperator(names),
            public_key,
            extensions: Vec::new(),
            lifetime: Lifetime::Default,
            renew_before: RENEW_BEFORE,
            label: None,
        }
    }
}

/// A part of a PKCS #10 request that the profile does not allow. The certificate is issued without it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LeftOut {
    /// An extension.
    Extension(Oid),
    /// A subject alternative name.
    Name(San),
    /// The subject.
    Subject(Subject),
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(oid) => write!(f, "extension {oid}"),
            Self::Name(name) => write!(f, "name {name}"),
            Self::Subject(subject) => write!(f, "subject {subject}"),
        }
    }
}

/// A request for a CA: a root, or an intermediate under another CA.
/// ```
/// use pki_core::{CaRequest, Subject, time::Duration};
///
/// // A CA for five years that may certify only these names and addresses.
/// let mut request = CaRequest::new(Subject::from_common_name("etcd CA")?);
/// request.expiry = Duration::days(5 * 365);
/// request.permitted = vec!["lab.example.com".parse()?, "192.0.2.0/24".parse()?];
/// request.crl_url = Some("http://pki.lab.example.com/ca.crl".parse()?);
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct CaRequest {
    /// The CA's name.
    pub subject: Subject,
    /// The lifetime, counted from the time of issuance.
    pub expiry: Duration,
    /// How long before the time of issuance the certificate becomes valid, for clocks that are slow.
    pub backdate: Duration,
    /// How many CAs may follow below this one. `None` sets no limit.
    pub path_len: Option<u8>,
    /// The names that the CA may certify. If this is empty, it may certify any name.
    pub permitted: Vec<NameConstraint>,
    /// The names that the CA may not certify.
    pub excluded: Vec<NameConstraint>,
    /// The URL of the CRL that covers the CA certificate.
    pub crl_url: Option<Uri>,
}

impl CaRequest {
    /// A root for ten years that signs only leaf certificates, not CAs.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            expiry: Duration::days(3650),
            backdate: Duration::minutes(5),
            path_len: Some(0),
            permitted: Vec::new(),
            excluded: Vec::new(),
            crl_url: None,
        }
    }
}

/// A request for a certificate like an earlier one, with new dates and a new serial number.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Renewal {
    /// The lifetime. The default is that of the earlier certificate.
    pub lifetime: Lifetime,
    /// How long before it expires the certificate will be renewed again. A CA with less time left than this issues no
    /// certificate with a shortened lifetime.
    pub renew_before: Duration,
    /// How long before the time of issuance the certificate becomes valid, for clocks that are slow.
    pub backdate: Duration,
    /// A new key. `None` keeps the earlier one.
    pub public_key: Option<PublicKey>,
}

impl Default for Renewal {
    /// The same key, the same lifetime, and a backdate of five minutes.
    fn default() -> Self {
        Self {
            lifetime: Lifetime::Default,
            renew_before: RENEW_BEFORE,
            backdate: Duration::minutes(5),
            public_key: None,
        }
    }
}

/// A request for a CRL (RFC 5280 section 5).
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct CrlRequest {
    /// The cRLNumber, which must be greater than in every earlier CRL of the CA (section 5.2.3).
    pub number: u64,
    /// When the CRL is issued.
    pub this_update: OffsetDateTime,
    /// The time by which the next CRL is issued. Verifiers reject the CRL after that.
    pub next_update: OffsetDateTime,
    /// The revoked certificates.
    pub revoked: Vec<RevokedCertificate>,
}
