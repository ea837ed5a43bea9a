//! What is asked of a CA.

use time::Duration;

use crate::certificate::signature_algorithm_name;
use crate::certificate::{CertificateRequest, Extension, GeneralName, is_weak_signature};
use crate::error::Error;
use crate::key::{KeyAlgorithm, PublicKey};
use crate::name::{San, Uri};
use crate::subject::Subject;
use crate::template::NameConstraint;

/// id-RSASSA-PSS (RFC 8017 appendix A.2.3)
const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";

/// A certificate that somebody asks for. What becomes of it the profile decides.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct Request {
    /// The subject.
    pub subject: Subject,
    /// The subject alternative names.
    pub names: Vec<San>,
    /// The key to certify.
    pub public_key: PublicKey,
    /// Extensions that a PKCS #10 asks for, beside the names.
    pub extensions: Vec<Extension>,
    /// A lifetime other than the profile's.
    pub expiry: Option<Duration>,
}

impl Request {
    /// What a PKCS #10 asks for, once its proof of possession holds.
    pub fn from_csr(csr: &CertificateRequest) -> Result<Self, Error> {
        const WANTED: &str = "a certification request that can be signed";
        let algorithm = signature_algorithm_name(&csr.signature_algorithm);
        let key = csr.public_key.algorithm_name();
        // Before the proof: it cannot be checked with a key that nobody should rely on.
        if matches!(csr.public_key.algorithm(), None | Some(KeyAlgorithm::Rsa(..2048 | 8193..))) {
            return Err(Error::not_admitted("public key", key, "no key that can be certified")
                .hinted("use ECDSA P-256, P-384, P-521, Ed25519, or RSA from 2048 to 8192 bits"));
        }
        if is_weak_signature(&csr.signature_algorithm) {
            return Err(Error::not_admitted("signature", algorithm, "it proves nothing any more")
                .hinted("make it anew with SHA-256: openssl req -new -sha256 -key KEY.pem …"));
        }
        if !csr.is_self_signed() {
            return Err(Error::malformed(
                WANTED,
                format!("its signature ({algorithm}) does not verify with its own key ({key})"),
            )
            .hinted(if csr.signature_algorithm.as_str() == RSASSA_PSS {
                "PSS is read with a salt as long as the hash, SHA-256 or stronger: openssl req -new \
                 -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest …"
            } else {
                "it was altered or damaged; make it anew with the key that it is for"
            }));
        }
        if matches!(&csr.extensions.basic_constraints, Some(constraints) if constraints.path_len.is_some() && !constraints.ca)
        {
            return Err(Error::malformed(WANTED, "a path length without CA:TRUE")
                .hinted("make it anew without the path length"));
        }
        let names = csr.extensions.subject_alt_name.as_deref().unwrap_or_default();
        Ok(Self {
            subject: csr.subject.to_subject()?,
            names: names.iter().enumerate().map(san).collect::<Result<_, _>>()?,
            public_key: csr.public_key.clone(),
            extensions: csr.extensions.all.clone(),
            expiry: None,
        })
    }
}

/// A name of a PKCS #10, held to the same grammar as every other.
fn san((index, name): (usize, &GeneralName)) -> Result<San, Error> {
    let parsed = match name {
        GeneralName::Dns(text) => text.parse().map(San::Dns),
        GeneralName::Email(text) => text.parse().map(San::Email),
        GeneralName::Uri(text) => text.parse::<Uri>().map(San::Uri),
        GeneralName::Ip(_) => match name.ip() {
            Some(ip) => Ok(San::Ip(ip)),
            None => Err(Error::invalid("", name.to_string(), "no address of 4 or 16 octets")
                .hinted(
                    "make the request anew: openssl req … -addext subjectAltName=IP:192.0.2.1",
                )),
        },
        GeneralName::Directory(_) | GeneralName::Other(_) => {
            Err(Error::invalid("", name.to_string(), "a kind of name that etcdpki does not issue")
                .hinted("ask for DNS names, addresses, email addresses and URIs"))
        }
    };
    parsed.map_err(|error| error.in_field(format!("subjectAltName[{index}]")))
}

/// A CA that somebody asks for.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct CaRequest {
    /// The CA's name.
    pub subject: Subject,
    /// How long the CA lives.
    pub expiry: Duration,
    /// How long before now it begins.
    pub backdate: Duration,
    /// How many CAs may stand below it; `None` leaves the depth open.
    pub path_len: Option<u8>,
    /// The names that the CA may certify; none leaves them open.
    pub permitted: Vec<NameConstraint>,
    /// The names that the CA may not certify.
    pub excluded: Vec<NameConstraint>,
    /// Where the CA's CRL will be.
    pub crl_url: Option<Uri>,
}

impl CaRequest {
    /// A root that signs leaves and nothing else, for ten years.
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
