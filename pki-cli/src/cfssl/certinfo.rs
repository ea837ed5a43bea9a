//! `cfssl certinfo` and `cfssl-certinfo`: a certificate as JSON.

use std::path::Path;

use pki_core::{Attribute, Certificate, CertificateRequest, DistinguishedName, GeneralName, KeyId};
use serde::Serialize;

use super::flags::Flags;
use super::log::Log;
use super::requestinfo::RequestInfo;
use super::{authority, input, request};
use crate::failure::Failure;
use crate::host;
use crate::inventory::decimal;
use crate::output::facts::moment;

pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    request::warn_of_flags(flags, &["cert", "csr"], log);
    let text = match (flags.value("cert"), flags.value("csr")) {
        (Some(name), _) => {
            let certificates = authority::read_certificate_file(name, "this is the first", log)?;
            serde_json::to_string_pretty(&CertificateInfo::new(&certificates[0])?)
        }
        (None, Some(name)) => {
            let request = CertificateRequest::from_pem_or_der(&input::read(name)?)
                .map_err(|error| Failure::from(error).in_file(Path::new(name)))?;
            RequestInfo::new(&request).and_then(|info| serde_json::to_string_pretty(&info))
        }
        (None, None) => {
            return Err(Failure::usage("Must specify certinfo target through -cert or -csr")
                .hinted("add -cert FILE"));
        }
    };
    let text = text.map_err(|error| Failure::bug(format!("writing the answer: {error}")))?;
    log.check_strict()?;
    host::print(&format!("{text}\n"))
}

/// What cfssl prints about a certificate, field by field in its order.
#[derive(Serialize)]
struct CertificateInfo {
    subject: Name,
    issuer: Name,
    serial_number: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sans: Vec<String>,
    not_before: String,
    not_after: String,
    sigalg: &'static str,
    authority_key_id: String,
    subject_key_id: String,
    pem: String,
}

/// A distinguished name. Several values of one attribute are joined with commas.
#[derive(Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of cfssl's JSON")]
struct Name {
    #[serde(skip_serializing_if = "String::is_empty")]
    common_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    serial_number: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    country: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    organization: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    organizational_unit: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    locality: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    province: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    street_address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    postal_code: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

impl From<&DistinguishedName> for Name {
    fn from(name: &DistinguishedName) -> Self {
        let all = |wanted: &Attribute| {
            let values = name.attributes.iter().filter(|entry| entry.attribute == *wanted);
            values.map(|entry| entry.value.as_str()).collect::<Vec<_>>()
        };
        let joined = |attribute: &Attribute| all(attribute).join(",");
        let last =
            |attribute: &Attribute| all(attribute).last().copied().unwrap_or_default().to_owned();
        Self {
            // Go keeps only one value of each of these two.
            common_name: last(&Attribute::CommonName),
            serial_number: last(&Attribute::SerialNumber),
            country: joined(&Attribute::Country),
            organization: joined(&Attribute::Organization),
            organizational_unit: joined(&Attribute::OrganizationalUnit),
            locality: joined(&Attribute::Locality),
            province: joined(&Attribute::State),
            street_address: joined(&Attribute::StreetAddress),
            postal_code: joined(&Attribute::PostalCode),
            names: name.attributes.iter().map(|entry| entry.value.clone()).collect(),
        }
    }
}

impl CertificateInfo {
    fn new(certificate: &Certificate) -> Result<Self, pki_core::Error> {
        let names = certificate.extensions.subject_alt_name.as_deref().unwrap_or_default();
        let dns = names.iter().filter_map(|name| match name {
            GeneralName::Dns(name) => Some(name.clone()),
            _ => None,
        });
        let addresses =
            names.iter().filter_map(GeneralName::ip).map(|ip| ip.to_canonical().to_string());
        let authority = certificate.extensions.authority_key_id.as_ref();
        Ok(Self {
            subject: Name::from(&certificate.subject),
            issuer: Name::from(&certificate.issuer),
            serial_number: decimal(certificate.serial.as_bytes()),
            sans: dns.chain(addresses).collect(),
            not_before: moment(certificate.not_before),
            not_after: moment(certificate.not_after),
            sigalg: signature_algorithm(certificate.signature_algorithm.as_str()),
            authority_key_id: colons(authority.and_then(|authority| authority.key_id.as_ref())),
            subject_key_id: colons(certificate.extensions.subject_key_id.as_ref()),
            pem: certificate.to_pem()?,
        })
    }
}

/// A key identifier in upper-case hexadecimal, with a colon between octets.
fn colons(id: Option<&KeyId>) -> String {
    let octets = id.map(|KeyId(octets)| octets.as_slice()).unwrap_or_default();
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

/// Go's name of a signature algorithm, as cfssl prints it.
fn signature_algorithm(oid: &str) -> &'static str {
    match oid {
        "1.2.840.113549.1.1.4" => "MD5WithRSA",
        "1.2.840.113549.1.1.5" => "SHA1WithRSA",
        "1.2.840.113549.1.1.11" => "SHA256WithRSA",
        "1.2.840.113549.1.1.12" => "SHA384WithRSA",
        "1.2.840.113549.1.1.13" => "SHA512WithRSA",
        "1.2.840.10045.4.1" => "ECDSAWithSHA1",
        "1.2.840.10045.4.3.2" => "ECDSAWithSHA256",
        "1.2.840.10045.4.3.3" => "ECDSAWithSHA384",
        "1.2.840.10045.4.3.4" => "ECDSAWithSHA512",
        "1.3.101.112" => "Ed25519",
        _ => "Unknown Signature",
    }
}
