//! `cfssl certinfo -csr`: a certification request as JSON, in the form of Go's `x509.CertificateRequest`.

use pki_core::{
    Attribute, CertificateRequest, DistinguishedName, GeneralName, KeyAlgorithm, NameAttribute,
    PublicKey,
};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::gourl::GoUrl;
use crate::inventory::decimal;

/// The fields in Go's order. An empty slice of Go is null. The numbers of a key are longer than those of [`Value`].
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RequestInfo {
    raw: String,
    #[serde(rename = "RawTBSCertificateRequest")]
    raw_tbs: String,
    raw_subject_public_key_info: String,
    raw_subject: String,
    version: u8,
    signature: String,
    signature_algorithm: u8,
    public_key_algorithm: u8,
    public_key: Box<RawValue>,
    subject: Subject,
    attributes: Value,
    extensions: Option<Vec<Extension>>,
    extra_extensions: (),
    #[serde(rename = "DNSNames")]
    dns_names: Option<Vec<String>>,
    email_addresses: Option<Vec<String>>,
    #[serde(rename = "IPAddresses")]
    ip_addresses: Option<Vec<String>>,
    #[serde(rename = "URIs")]
    uris: Option<Vec<GoUrl>>,
}

/// Go's `pkix.Name`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Subject {
    country: Option<Vec<String>>,
    organization: Option<Vec<String>>,
    organizational_unit: Option<Vec<String>>,
    locality: Option<Vec<String>>,
    province: Option<Vec<String>>,
    street_address: Option<Vec<String>>,
    postal_code: Option<Vec<String>>,
    serial_number: String,
    common_name: String,
    names: Option<Vec<Value>>,
    extra_names: (),
}

/// Go's `pkix.Extension`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Extension {
    id: Vec<u64>,
    critical: bool,
    value: String,
}

impl RequestInfo {
    pub(super) fn new(request: &CertificateRequest) -> Result<Self, serde_json::Error> {
        let names = request.extensions.subject_alt_name.as_deref().unwrap_or_default();
        let texts = |text: fn(&GeneralName) -> Option<String>| {
            filled(names.iter().filter_map(text).collect())
        };
        let extensions = request.extensions.all.iter().map(|extension| Extension {
            id: arcs(extension.oid.as_str()),
            critical: extension.critical,
            value: base64(&extension.value),
        });
        let (signature_algorithm, public_key_algorithm) = algorithms(request);
        Ok(Self {
            raw: base64(request.der()),
            raw_tbs: base64(request.tbs()),
            raw_subject_public_key_info: base64(request.public_key.spki_der()),
            raw_subject: base64(request.subject.der()),
            version: 0,
            signature: base64(request.signature()),
            signature_algorithm,
            public_key_algorithm,
            public_key: RawValue::from_string(public_key(&request.public_key))?,
            subject: Subject::new(&request.subject),
            attributes: extension_request(&request.extensions.all),
            extensions: filled(extensions.collect()),
            extra_extensions: (),
            dns_names: texts(|name| match name {
                GeneralName::Dns(text) => Some(text.clone()),
                _ => None,
            }),
            email_addresses: texts(|name| match name {
                GeneralName::Email(text) => Some(text.clone()),
                _ => None,
            }),
            ip_addresses: texts(|name| name.ip().map(|ip| ip.to_canonical().to_string())),
            uris: filled(names.iter().filter_map(uri).collect()),
        })
    }
}

impl Subject {
    fn new(subject: &DistinguishedName) -> Self {
        let all = |attribute: &Attribute| {
            let entries = subject.attributes.iter().filter(|entry| entry.attribute == *attribute);
            entries.map(|entry| entry.value.clone()).collect::<Vec<_>>()
        };
        let list = |attribute: &Attribute| filled(all(attribute));
        let text = |attribute: &Attribute| all(attribute).pop().unwrap_or_default();
        let typed = |entry: &NameAttribute| json!({ "Type": arcs(entry.attribute.oid().as_str()), "Value": entry.value });
        Self {
            country: list(&Attribute::Country),
            organization: list(&Attribute::Organization),
            organizational_unit: list(&Attribute::OrganizationalUnit),
            locality: list(&Attribute::Locality),
            province: list(&Attribute::State),
            street_address: list(&Attribute::StreetAddress),
            postal_code: list(&Attribute::PostalCode),
            serial_number: text(&Attribute::SerialNumber),
            common_name: text(&Attribute::CommonName),
            names: filled(subject.attributes.iter().map(typed).collect()),
            extra_names: (),
        }
    }
}

/// The JSON of a key, as Go writes its numbers, with the indentation of its place.
fn public_key(key: &PublicKey) -> String {
    let object = |members: &[(&str, String)]| {
        let line = |(name, value): &(&str, String)| format!("    \"{name}\": {value}");
        format!("{{\n{}\n  }}", members.iter().map(line).collect::<Vec<_>>().join(",\n"))
    };
    let point = |size: usize| {
        // The SubjectPublicKeyInfo ends with the two coordinates (SEC 1 section 2.3.3).
        let (rest, y) = key.spki_der().split_at(key.spki_der().len() - size);
        let x = &rest[rest.len() - size..];
        object(&[("Curve", "{}".to_owned()), ("X", decimal(x)), ("Y", decimal(y))])
    };
    match (key.algorithm(), key.rsa_numbers()) {
        (Some(KeyAlgorithm::EcdsaP256), _) => point(32),
        (Some(KeyAlgorithm::EcdsaP384), _) => point(48),
        (Some(KeyAlgorithm::EcdsaP521), _) => point(66),
        (Some(KeyAlgorithm::Ed25519), _) => {
            let (_, bits) = key.spki_der().split_at(key.spki_der().len() - 32);
            json!(base64(bits)).to_string()
        }
        (_, Some((modulus, exponent))) => {
            object(&[("N", decimal(modulus)), ("E", decimal(exponent))])
        }
        _ => Value::Null.to_string(),
    }
}

/// The requested extensions as attributes. Go finds no value where it expects that of an extension that is critical.
fn extension_request(extensions: &[pki_core::Extension]) -> Value {
    if extensions.is_empty() {
        return Value::Null;
    }
    let extension = |one: &pki_core::Extension| {
        let value = (!one.critical).then(|| base64(&one.value));
        json!({ "Type": arcs(one.oid.as_str()), "Value": value })
    };
    let extensions: Vec<Value> = extensions.iter().map(extension).collect();
    // extensionRequest, RFC 2985 section 5.4.2
    json!([{ "Type": arcs("1.2.840.113549.1.9.14"), "Value": [extensions] }])
}

fn uri(name: &GeneralName) -> Option<GoUrl> {
    match name {
        GeneralName::Uri(text) => Some(GoUrl::from(text.as_str())),
        _ => None,
    }
}

/// A list, if it has items.
fn filled<T>(values: Vec<T>) -> Option<Vec<T>> {
    (!values.is_empty()).then_some(values)
}

fn base64(octets: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(octets)
}

fn arcs(oid: &str) -> Vec<u64> {
    oid.split('.').filter_map(|arc| arc.parse().ok()).collect()
}

/// Go's numbers of the signature algorithm and of the key's algorithm.
fn algorithms(request: &CertificateRequest) -> (u8, u8) {
    let signature = match request.signature_algorithm.as_str() {
        "1.2.840.113549.1.1.5" => 3,
        "1.2.840.113549.1.1.11" => 4,
        "1.2.840.113549.1.1.12" => 5,
        "1.2.840.113549.1.1.13" => 6,
        "1.2.840.10045.4.1" => 9,
        "1.2.840.10045.4.3.2" => 10,
        "1.2.840.10045.4.3.3" => 11,
        "1.2.840.10045.4.3.4" => 12,
        "1.3.101.112" => 16,
        _ => 0,
    };
    let key = match request.public_key.algorithm() {
        Some(KeyAlgorithm::Rsa(_)) => 1,
        Some(KeyAlgorithm::Ed25519) => 4,
        Some(_) => 3,
        None => 0,
    };
    (signature, key)
}
