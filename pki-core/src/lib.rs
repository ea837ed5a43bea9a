//! A certificate authority for etcd clusters, as a library.
//!
//! `pki-core` turns bytes, a profile and a time into bytes and a report. It does not read files, the clock or
//! the environment, and it does not print: the time and the serial number are values ([`IssuanceContext`]),
//! and the CA's key is a [`Signer`].
//!
//! * Issue: [`Request`] and [`Profile`] → [`Authority::draft`] → [`Draft::sign`] → [`Issued`].
//!   The rules check the draft before the CA's key is used.
//! * Verify: [`Certificate`] and [`VerifyOptions`] → [`Verifier::check`] → [`Report`]. The same rules report
//!   what is wrong, what fails in the cluster as a result, and how to fix it.
//!
//! ```
//! use pki_core::{Authority, CaRequest, KeyAlgorithm, IssuanceContext, PrivateKey, SerialNumber, Signer, Subject};
//! use time::macros::datetime;
//!
//! # fn main() -> Result<(), pki_core::Error> {
//! let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
//! let context = IssuanceContext {
//!     now: datetime!(2027-01-01 00:00 UTC),
//!     serial: SerialNumber::from_random([7; 20]), // in production: 20 random bytes
//! };
//! let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
//! let ca = Authority::draft_root(&request, key.public_key(), &context)?.sign(&key)?;
//! assert!(ca.certificate.to_pem()?.starts_with("-----BEGIN CERTIFICATE-----"));
//! # Ok(())
//! # }
//! ```

// In import order: a file imports only modules that are listed above it.
pub mod quote;

mod finding;

mod error;

mod suggest;

mod duration;
mod oid;
mod usage;

mod cidr;
mod document;
mod name;
mod pem;
mod subject;

mod etcd;
mod pki_folder;

mod key;

mod certificate;
mod crl;
mod private_key;

mod report;

mod pkcs12;

mod held_keys;

mod template;

mod csr_json;
mod request;

mod profile;

mod layout;

mod ca_set;

mod manifest;

mod bundle;
mod cluster;

mod deployment;

mod rules;

mod encode;

mod draft;

mod authority;
mod verify;

mod adopt;
mod audit;

pub use adopt::{AdoptedFile, AdoptedFolder, AdoptedPair, Adoption};
pub use audit::FileReport;
pub use authority::{Authority, IssuanceContext};
pub use bundle::{Bundles, Generated};
pub use ca_set::{CaSet, ClusterCas};
pub use certificate::{
    AccessDescription, AuthorityKeyId, BasicConstraints, Certificate, CertificateFields,
    CertificateRequest, DistinguishedName, DistributionPoint, Extension, Extensions, GeneralName,
    NameAttribute, NameConstraints, PolicyConstraints, SerialNumber, signature_algorithm_name,
};
pub use cidr::Cidr;
pub use cluster::{Action, CertificateSpec, Drift, Held};
pub use crl::{Crl, RevocationReason, RevokedCertificate};
pub use csr_json::{CaSection, CsrJson};
pub use deployment::HostFile;
pub use draft::{Draft, Issued, IssuedBy, Signable};
pub use duration::{parse_duration, parse_lifetime};
pub use error::{Defect, Error, Input, Invalid};
pub use etcd::{
    EtcdOption, EtcdSettings, EtcdVersion, FileLookup, OptionKind, Remark, RemarkKind, YamlKey,
    etcd_options,
};
pub use finding::{Finding, Rule, Severity, Source};
pub use held_keys::private_keys;
pub use key::{KeyAlgorithm, KeyId, PublicKey, SignatureAlgorithm, Signer};
pub use layout::{APISERVER_CLIENT, FileKind, Owner, Role};
pub use manifest::{CaSpec, Client, Host, Manifest, Paths};
pub use name::{DnsName, EmailAddress, San, Uri};
pub use oid::Oid;
pub use pem::{Content, Section, is_pem, read as read_pem};
pub use pkcs12::pkcs12;
pub use pki_folder::{FolderFile, FolderPair, PkiFolder};
pub use private_key::{KeyFormat, PrivateKey};
pub use profile::{CopyExtensions, CsrWhitelist, NamePattern, Profile, SigningConfig};
pub use report::{
    CertificationPath, PathCertificate, PathLimit, Place, Report, SignatureStatus, Trust,
};
pub use request::{Asked, CaRequest, CrlRequest, LeftOut, Renewal, Request};
pub use rules::{EndpointFault, GoDemand, Policy, VerifyOptions, go_demands, rule, rules};
pub use subject::{Attribute, Subject};
pub use template::{CaConstraint, NameConstraint, PolicyInformation, PolicyQualifier, Urls};
pub use usage::{ExtendedKeyUsage, KeyUsages, Purpose};
pub use verify::{Verifier, VerifierBuilder, is_crl};
