//! Requests to a CA: for certificates, CAs and CRLs.

use std::fmt;

use time::{Duration, OffsetDateTime};

#[cfg(feature = "profiles")]
use crate::certificate::Certificate;
use crate::certificate::signature_algorithm_name;
use crate::certificate::{CertificateRequest, Extension, GeneralName, is_weak_signature};
use crate::crl::RevokedCertificate;
#[cfg(feature = "profiles")]
use crate::dialect::{Dialect, Faults, Lenient};
use crate::error::{Error, Input};
use crate::key::{KeyAlgorithm, PublicKey};
#[cfg(feature = "profiles")]
use crate::lifetime::limited_by_ca;
use crate::lifetime::{Lifetime, RENEW_BEFORE};
#[cfg(feature = "profiles")]
use crate::name::DnsName;
use crate::name::{San, Uri};
use crate::oid::Oid;
use crate::subject::Subject;
use crate::template::NameConstraint;

/// id-RSASSA-PSS (RFC 8017 appendix A.2.3)
const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";

/// A request for a certificate. A [`Profile`](crate::Profile) decides which parts of it are used.
///
/// Each part has a source ([`Asked`]): the operator of the CA, or a PKCS #10 request that somebody sent. The profile's
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
    /// certificate with
    /// a shortened lifetime.
    pub renew_before: Duration,
    /// What the names that a profile adds are made from, if the subject has no common name.
    pub label: Option<String>,
}

impl Request {
    /// The notAfter that this CA gives the certificate instead of `wanted`.
    #[cfg(feature = "profiles")]
    pub(crate) fn limited_by(
        &self,
        ca: &Certificate,
        wanted: OffsetDateTime,
        now: OffsetDateTime,
    ) -> OffsetDateTime {
        limited_by_ca(wanted, ca.not_after, now, self.lifetime, self.renew_before)
    }
}

/// A part of a request, and its source.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "either the operator of the CA, or somebody else")]
pub enum Asked<T> {
    /// The operator of the CA, in an option, a manifest or a CSR JSON.
    ByOperator(T),
    /// A PKCS #10 request that somebody sent.
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

    /// The request in a PKCS #10 structure.
    ///
    /// The proof of possession must be valid, the key and the signature must be
    /// strong enough, and this crate must be able to write the subject and the names. The RDNs of the subject
    /// and their order are kept.
    ///
    #[cfg_attr(feature = "profiles", doc = "```")]
    #[cfg_attr(not(feature = "profiles"), doc = "```ignore")]
    /// # use pki_core::{Asked, Authority, CaRequest, Error, IssuanceContext, KeyAlgorithm, PrivateKey};
    /// # use pki_core::{SerialNumber, Signer, Subject};
    /// use pki_core::{CertificateRequest, Request, SigningConfig};
    ///
    /// # fn main() -> Result<(), Error> {
    /// # let now = pki_core::time::macros::datetime!(2027-01-01 00:00 UTC);
    /// # let context = IssuanceContext { now, serial: SerialNumber::from_random([7; 20]) };
    /// # let ca_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// # let root = CaRequest::new(Subject::from_common_name("etcd CA")?);
    /// # let root = Authority::draft_root(&root, ca_key.public_key(), &context)?.sign(&ca_key)?;
    /// # let authority = Authority::new(root.certificate);
    /// # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// # let names = vec!["api.example.com".parse()?];
    /// # let asked = Request::new(Subject::from_common_name("api")?, names, key.public_key().clone());
    /// # let pem = CertificateRequest::draft(&asked)?.sign(&key)?.to_pem()?;
    /// let csr = CertificateRequest::from_pem_or_der(pem.as_bytes())?;
    /// let request = Request::from_csr(&csr)?;
    /// let profiles = SigningConfig::etcd();
    /// let draft = authority.draft(&request, profiles.profile("client")?, &context)?;
    /// // The built-in client profile takes no DNS name from a request: it would open etcd's peer port.
    /// assert_eq!(draft.left_out()[0].to_string(), "name dns:api.example.com");
    /// let issued = draft.sign(&ca_key)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_csr(csr: &CertificateRequest) -> Result<Self, Error> {
        check_csr(csr)?;
        let names = csr.extensions.subject_alt_name.as_deref().unwrap_or_default();
        let names = names.iter().enumerate().map(san).collect::<Result<_, _>>()?;
        Ok(Self::of_csr(csr, csr.subject.to_subject()?, names))
    }

    /// The request in a PKCS #10 structure, in cfssl's dialect: it accepts what is only unusual in the subject and the
    /// names, and sorts the attributes of the subject as cfssl does.
    #[cfg(feature = "profiles")]
    pub fn from_csr_of_cfssl(csr: &CertificateRequest) -> Result<Lenient<Self>, Error> {
        check_csr(csr)?;
        let mut faults = Faults::new(Dialect::Cfssl);
        let attributes = csr.subject.texts()?.map(|(attribute, value)| {
            (attribute.short_name().to_owned(), attribute.clone(), value.to_owned())
        });
        let subject = Subject::read(attributes, &mut faults);
        let mut names: Vec<San> = Vec::new();
        let found = csr.extensions.subject_alt_name.as_deref().unwrap_or_default();
        for (index, name) in found.iter().enumerate() {
            let path = format!("subjectAltName[{index}]");
            let read = match (name, san((index, name))) {
                (GeneralName::Dns(text), read) => {
                    DnsName::read(text, &path, &mut faults, read.err()).map(San::Dns)
                }
                (_, read) => faults.take(read),
            };
            match read {
                Some(name) if names.contains(&name) => {
                    faults.harmless(repeated(&path, &name));
                }
                read => names.extend(read),
            }
        }
        faults.finish(Some(Self::of_csr(csr, subject, names)))
    }

    fn of_csr(csr: &CertificateRequest, subject: Subject, names: Vec<San>) -> Self {
        Self {
            subject: Asked::ByCsr(subject),
            names: Asked::ByCsr(names),
            public_key: csr.public_key.clone(),
            extensions: csr.extensions.all.clone(),
            lifetime: Lifetime::Default,
            renew_before: RENEW_BEFORE,
            label: None,
        }
    }
}

/// Checks the key, the signature and the form of a PKCS #10 structure.
fn check_csr(csr: &CertificateRequest) -> Result<(), Error> {
    const EXPECTED: &str = "a certification request that can be signed";
    let algorithm = signature_algorithm_name(&csr.signature_algorithm);
    let key = csr.public_key.algorithm_name();
    // Checked first, because with a weak key the proof of possession means nothing.
    if matches!(csr.public_key.algorithm(), None | Some(KeyAlgorithm::Rsa(..2048 | 8193..))) {
        return Err(Error::not_admitted("public key", key, "not a key that can be certified")
            .hinted("use ECDSA P-256, P-384, P-521, Ed25519, or RSA with 2048 to 8192 bits"));
    }
    if is_weak_signature(&csr.signature_algorithm) {
        return Err(Error::not_admitted("signature", algorithm, "too weak to rely on")
            .hinted("create it again with SHA-256: openssl req -new -sha256 -key KEY.pem …"));
    }
    if !csr.is_self_signed() {
        return Err(Error::malformed(
            EXPECTED,
            format!("its signature ({algorithm}) does not verify with its own key ({key})"),
        )
        .hinted(if csr.signature_algorithm.as_str() == RSASSA_PSS {
            "PSS is read with a salt as long as the hash, SHA-256 or stronger: openssl req -new \
                 -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest …"
        } else {
            "it was altered or damaged; create it again with its own key"
        }));
    }
    if matches!(&csr.extensions.basic_constraints, Some(constraints) if constraints.path_len.is_some() && !constraints.ca)
    {
        return Err(Error::malformed(EXPECTED, "a path length without CA:TRUE")
            .hinted("create it again without the path length"));
    }
    Ok(())
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

#[cfg(feature = "profiles")]
fn repeated(path: &str, name: &San) -> Error {
    Error::invalid(path, name.to_string(), "the same name twice; it is written once")
        .hinted("create the request again, and list the name once")
}

/// A name in a PKCS #10 request, which must follow the same grammar as all other names.
fn san((index, name): (usize, &GeneralName)) -> Result<San, Error> {
    let parsed = match name {
        GeneralName::Dns(text) => text.parse().map(San::Dns),
        GeneralName::Email(text) => text.parse().map(San::Email),
        GeneralName::Uri(text) => text.parse::<Uri>().map(San::Uri),
        GeneralName::Ip(_) => match name.ip() {
            Some(ip) => Ok(San::Ip(ip)),
            None => Err(Error::invalid(
                "",
                name.to_string(),
                "not an IP address of 4 or 16 octets",
            )
            .hinted("create the request again: openssl req … -addext subjectAltName=IP:192.0.2.1")),
        },
        GeneralName::Directory(_) | GeneralName::Malformed(_) | GeneralName::Other(_) => {
            Err(Error::invalid("", name.to_string(), "a kind of name that etcdpki does not issue")
                .hinted("request only DNS names, IP addresses, email addresses and URIs"))
        }
    };
    parsed.map_err(|error| error.in_field(format!("subjectAltName[{index}]")).of(Input::Request))
}

/// A request for a CA: a root, or an intermediate under another CA.
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
