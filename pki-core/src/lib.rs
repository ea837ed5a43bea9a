//! A certificate authority for etcd clusters, as a library.
//!
//! pki-core issues certificates for etcd and its clients, and verifies any X.509 certificate by the
//! rules of RFC 5280, of Go's TLS stack and of etcd. It reads no files, no clock and no environment, and it
//! prints nothing. The time and the serial number are values ([`IssuanceContext`]), and the CA's key is a
//! trait ([`Signer`]), so that it may be in a file, an HSM or a KMS.
//!
//! # Issuing
//!
//! A [`Request`] and a [`Profile`] make a [`Draft`], the draft is signed, and the result is a [`Certificate`]
//! with what the rules warn about. The rules run before the key is used: what they forbid is never signed
//! ([`Error::Refused`]).
//!
#![cfg_attr(feature = "profiles", doc = "```")]
#![cfg_attr(not(feature = "profiles"), doc = "```ignore")]
//! use pki_core::time::macros::datetime;
//! use pki_core::{
//!     Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, Request, SerialNumber, Signer,
//!     SigningConfig, Subject,
//! };
//!
//! # fn random() -> [u8; 20] { [7; 20] }
//! # fn main() -> Result<(), pki_core::Error> {
//! // Take the time from the clock, and random bytes for each serial number.
//! let context = || IssuanceContext {
//!     now: datetime!(2027-01-01 00:00 UTC),
//!     serial: SerialNumber::from_random(random()),
//! };
//!
//! // A root CA.
//! let ca_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
//! let root = CaRequest::new(Subject::from_common_name("etcd CA")?);
//! let root = Authority::draft_root(&root, ca_key.public_key(), &context())?.sign(&ca_key)?;
//!
//! // A certificate for one member, by the built-in profile `peer`.
//! let authority = Authority::new(root.certificate);
//! let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
//! let names = vec!["192.168.29.61".parse()?, "etcdone.example.com".parse()?];
//! let subject = Subject::from_common_name("etcdone")?;
//! let request = Request::new(subject, names, key.public_key().clone());
//! let profiles = SigningConfig::etcd();
//! let issued = authority.draft(&request, profiles.profile("peer")?, &context())?.sign(&ca_key)?;
//! println!("{}", issued.certificate.to_pem()?);
//! # Ok(())
//! # }
//! ```
//!
//! * From a PKCS #10: [`Request::from_csr`]. The profile limits what such a request gets.
//! * With a key that is elsewhere: implement [`Signer`], or send [`Draft::tbs`] away and join the signature with
//!   [`Draft::assemble`].
//! * Renewals: [`Authority::draft_renewal`] and [`Authority::draft_ca_renewal`] keep the subject and the
//!   extensions byte for byte.
//! * Revocation: [`Authority::draft_crl`].
//!
//! # Verifying
//!
//! A [`Verifier`] has the trusted CAs, and optionally intermediates and CRLs. Its [`Report`] says whether a path to one of them is
//! trusted, and what the rules find on it: what is wrong, what fails because of it, and how to fix it.
//!
#![cfg_attr(feature = "profiles", doc = "```")]
#![cfg_attr(not(feature = "profiles"), doc = "```ignore")]
//! # use pki_core::{Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, Request, SerialNumber};
//! # use pki_core::{CrlRequest, RevokedCertificate, Signer, SigningConfig, Subject};
//! use pki_core::time::macros::datetime;
//! use pki_core::{Purpose, ServerName, Verifier, VerifyOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = datetime!(2027-01-01 12:00 UTC);
//! # let context = |number| IssuanceContext { now, serial: SerialNumber::from_random([number; 20]) };
//! # let ca_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
//! # let root = CaRequest::new(Subject::from_common_name("etcd CA")?);
//! # let root = Authority::draft_root(&root, ca_key.public_key(), &context(1))?.sign(&ca_key)?.certificate;
//! # let authority = Authority::new(root.clone());
//! # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
//! # let subject = Subject::from_common_name("etcdone")?;
//! # let request = Request::new(subject, Vec::new(), key.public_key().clone());
//! # let profiles = SigningConfig::etcd();
//! # let draft = authority.draft(&request, profiles.profile("server")?, &context(2))?;
//! # let leaf = draft.sign(&ca_key)?.certificate;
//! # let serial = leaf.serial.clone();
//! # let crl = CrlRequest {
//! #     number: 1,
//! #     this_update: now,
//! #     next_update: now + pki_core::time::Duration::days(30),
//! #     revoked: vec![RevokedCertificate { serial, revoked_at: now, reason: None, invalid_since: None }],
//! # };
//! # let crl = authority.draft_crl(&crl, now)?.sign(&ca_key)?;
//! // `root`, `leaf` and `crl` were read before: `Certificate::from_pem_or_der`, `Crl::from_pem_or_der`.
//! let verifier = Verifier::builder([root]).crl(crl.der())?.build()?;
//! let mut options = VerifyOptions::at(datetime!(2027-01-01 12:00 UTC));
//! options.purpose = Purpose::Server;
//! options.hosts = vec![ServerName::try_from("etcdone")?];
//!
//! let report = verifier.check(&leaf, &[], &options);
//! assert!(!report.is_ok());
//! assert!(report.findings().any(|finding| finding.rule.id == "leaf-revoked"));
//! # Ok(())
//! # }
//! ```
//!
//! A negative answer is a report, not an [`Error`]: an error means that there is no answer.
//!
//! # The first key
//!
//! The first key that a process generates costs about 125 ms, because AWS-LC then gathers entropy from the
//! timing of the CPU, in addition to that of the operating system. This is noticeable in a program that generates only
//! one key. To build AWS-LC without this second source, as OpenSSL and Go work, put this into the
//! `.cargo/config.toml` of your own workspace; this crate's own is read only when you build in its workspace:
//!
//! ```toml
//! [env]
//! AWS_LC_SYS_NO_JITTER_ENTROPY = "1"
//! ```
//!
//! # Features
//!
//! All are on by default. Without any, the crate verifies, and makes CAs, renewals, CRLs and certification
//! requests.
//!
//! * `profiles`: issuing by cfssl's signing profiles and CSR JSON.
//! * `manifest`: manifests of whole clusters in YAML, and the rules about the files and settings of their hosts.
//!   It turns `profiles` on.
//! * `pkcs12`: PKCS #12 files of a key and its chain.
//! * `encrypted-keys`: private keys under a passphrase, in PKCS #8.

/// The dates and durations of this crate's API.
pub use time;

// In import order: a file imports only modules that are listed above it.
pub mod quote;

mod evidence;
mod finding;

mod file_format;

mod error;

#[cfg(feature = "profiles")]
mod dialect;
mod suggest;

mod duration;
mod oid;
mod usage;

mod cidr;
#[cfg(feature = "profiles")]
mod document;
mod name;
mod pem;
mod subject;

#[cfg(feature = "manifest")]
mod etcd;

mod key;

mod certificate;
mod crl;
mod private_key;

#[cfg(feature = "encrypted-keys")]
mod encrypted_key;

mod report;

#[cfg(feature = "pkcs12")]
mod pkcs12;

mod held_keys;

mod lifetime;
mod template;

#[cfg(feature = "profiles")]
mod csr_json;
mod request;

#[cfg(feature = "profiles")]
mod profile;

#[cfg(feature = "manifest")]
mod layout;
#[cfg(feature = "manifest")]
mod pki_folder;

#[cfg(feature = "manifest")]
mod ca_set;

#[cfg(feature = "manifest")]
mod rotation;

#[cfg(feature = "manifest")]
mod manifest;

#[cfg(feature = "manifest")]
mod bundle;
#[cfg(feature = "manifest")]
mod cluster;

#[cfg(feature = "manifest")]
mod deployment;

mod rules;

mod encode;

mod draft;

mod authority;
mod verify;

#[cfg(feature = "manifest")]
mod adopt;
#[cfg(feature = "manifest")]
mod audit;

#[cfg(feature = "manifest")]
pub use adopt::{AdoptedFile, AdoptedFolder, AdoptedPair, Adoption};
#[cfg(feature = "manifest")]
pub use audit::FileReport;
pub use authority::{Authority, IssuanceContext};
#[cfg(feature = "manifest")]
pub use bundle::{Bundles, Generated, InitialStates, MemberFiles};
#[cfg(feature = "manifest")]
pub use ca_set::{CaSet, ClusterCas};
pub use certificate::{
    AccessDescription, AuthorityKeyId, BasicConstraints, Certificate, CertificateFields,
    CertificateFile, CertificateRequest, DistinguishedName, DistributionPoint, Extension,
    Extensions, GeneralName, NameAttribute, NameConstraints, PolicyConstraints, SerialNumber,
    signature_algorithm_name,
};
pub use cidr::Cidr;
#[cfg(feature = "manifest")]
pub use cluster::{Action, CaLimit, CaStage, CertificateSpec, Drift, Held};
pub use crl::{Crl, RevocationReason, RevokedCertificate};
#[cfg(feature = "profiles")]
pub use csr_json::{CaSection, CsrJson, Replaced};
#[cfg(feature = "manifest")]
pub use deployment::HostFile;
#[cfg(feature = "profiles")]
pub use dialect::{Dialect, Lenient};
pub use draft::{Draft, Issued, IssuedBy, Signable};
pub use duration::{parse_duration, parse_lifetime};
pub use error::{Defect, Error, Input, Invalid, Position};
#[cfg(feature = "manifest")]
pub use etcd::{
    EtcdOption, EtcdSettings, EtcdVersion, FileLookup, OptionKind, Remark, RemarkKind, UnitAccount,
    YamlKey, etcd_options,
};
pub use evidence::Evidence;
pub use finding::{Finding, Rule, Severity, Source};
pub use held_keys::private_keys;
pub use key::{
    KeyAlgorithm, KeyId, PublicKey, SignatureAlgorithm, Signer, ecdsa_signature_from_fixed,
};
#[cfg(feature = "manifest")]
pub use layout::{APISERVER_CLIENT, FileKind, Owner, Role, Traffic};
pub use lifetime::{Lifetime, RENEW_BEFORE};
#[cfg(feature = "manifest")]
pub use manifest::{
    CaSpec, Client, ClientFormat, ClusterState, Endpoint, EtcdConfig, Host, KubernetesVersion,
    Manifest, Paths, ReachedBy, SeparateCas,
};
pub use name::{DnsName, EmailAddress, San, Uri};
pub use oid::Oid;
pub use pem::{Content, Section, is_pem, read as read_pem};
#[cfg(feature = "pkcs12")]
pub use pkcs12::{KeyStoreContents, read_pkcs12};
#[cfg(feature = "manifest")]
pub use pki_folder::{FolderFile, FolderPair, PkiFolder};
pub use private_key::{KeyFormat, PrivateKey};
#[cfg(feature = "profiles")]
pub use profile::{CopyExtensions, CsrWhitelist, NamePattern, Profile, SigningConfig, Unusable};
pub use report::{
    CertificationPath, PathCertificate, PathLimit, Place, Report, SignatureStatus, Trust,
};
pub use request::{Asked, CaRequest, CrlRequest, LeftOut, Renewal, Request};
#[cfg(feature = "manifest")]
pub use rotation::{HostCas, HostLeaf, HostPhase, Rotation, RotationStep, TrustFile};
#[cfg(feature = "manifest")]
pub use rules::unreadable_file;
pub use rules::{
    EndpointFault, GoDemand, Policy, VerifyOptions, crl_damage, go_demands, pem_damage, rule,
    rules, rules_behind,
};
pub use subject::{Attribute, Subject};
pub use template::{CaConstraint, NameConstraint, PolicyInformation, PolicyQualifier, Urls};
pub use usage::{ExtendedKeyUsage, KeyUsages, Purpose};
pub use verify::{Verifier, VerifierBuilder, is_crl};

// Types of other crates in the API of this crate.
pub use rustls_pki_types::ServerName;
pub use zeroize::Zeroizing;
