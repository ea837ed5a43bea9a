//! The request in a PKCS #10 structure, whose key, signature and names are checked.

use super::{Asked, Request};
use crate::certificate::{
    CertificateRequest, GeneralName, is_weak_signature, signature_algorithm_name,
};
#[cfg(feature = "profiles")]
use crate::dialect::{Dialect, Faults, Lenient};
use crate::error::{Error, Input};
use crate::key::KeyAlgorithm;
use crate::lifetime::{Lifetime, RENEW_BEFORE};
#[cfg(feature = "profiles")]
use crate::name::DnsName;
use crate::name::{San, Uri};
use crate::subject::Subject;

/// id-RSASSA-PSS (RFC 8017 appendix A.2.3)
const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";

impl Request {
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
        if csr.signature_algorithm.as_str() == RSASSA_PSS {
            let error = Error::invalid("signature", "rsassaPss", "cfssl refuses this algorithm");
            faults.harmless(error.hinted("create the request again with PKCS #1 v1.5"));
        }
        if csr.subject.is_latin1() {
            let problem = "text in T61String, which cfssl cannot write; it is read as Latin-1";
            let error = Error::invalid("subject", csr.subject.to_string(), problem);
            faults.harmless(error.hinted("create the request again in UTF-8: openssl req -utf8 …"));
        }
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
                (GeneralName::Directory(_) | GeneralName::Other(_), _) => {
                    let problem =
                        "a kind of name that neither cfssl nor etcdpki issues; it is left out";
                    let error = Error::invalid(path, name.to_string(), problem);
                    faults.harmless(error.hinted("create the request again without it"));
                    continue;
                }
                (GeneralName::Email(text), Ok(San::Email(address))) => {
                    Some(San::Email(address.spelled(text)))
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
            // Go refuses an IPv4 address in 16 octets (RFC 4291 section 2.5.5.2), and cfssl writes it in four.
            Some(ip) => Ok(San::Ip(ip.to_canonical())),
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
