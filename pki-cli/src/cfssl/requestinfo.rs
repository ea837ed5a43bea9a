//! `cfssl certinfo -csr`: a certification request as JSON, in the form of Go's `x509.CertificateRequest`.

use pki_core::{Attribute, CertificateRequest, GeneralName, KeyAlgorithm, PublicKey};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::inventory::decimal;

/// The fields. The numbers of a key are longer than those of [`Value`].
#[derive(Serialize)]
pub(super) struct RequestInfo {
    #[serde(flatten)]
    fields: Value,
    #[serde(rename = "PublicKey")]
    public_key: Box<RawValue>,
}

impl RequestInfo {
    pub(super) fn new(request: &CertificateRequest) -> Result<Self, serde_json::Error> {
        let public_key = RawValue::from_string(public_key(&request.public_key))?;
        Ok(Self { fields: fields(request), public_key })
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

fn fields(request: &CertificateRequest) -> Value {
    let names = request.extensions.subject_alt_name.as_deref().unwrap_or_default();
    let texts = |text: fn(&GeneralName) -> Option<String>| {
        or_null(names.iter().filter_map(text).map(Value::from).collect())
    };
    let attributes = |attribute: &Attribute| {
        let values =
            request.subject.attributes.iter().filter(|entry| entry.attribute == *attribute);
        values.map(|entry| entry.value.clone()).collect::<Vec<_>>()
    };
    let all = |attribute: &Attribute| {
        or_null(attributes(attribute).into_iter().map(Value::from).collect())
    };
    let last = |attribute: &Attribute| attributes(attribute).pop().unwrap_or_default();
    let typed = |entry: &pki_core::NameAttribute| json!({ "Type": arcs(entry.attribute.oid().as_str()), "Value": entry.value });
    let extensions: Vec<Value> = request
        .extensions
        .all
        .iter()
        .map(|extension| {
            json!({
                "Id": arcs(extension.oid.as_str()),
                "Critical": extension.critical,
                "Value": base64(&extension.value),
            })
        })
        .collect();
    let (signature, key) = algorithms(request);
    json!({
        "Raw": base64(request.der()),
        "RawTBSCertificateRequest": base64(request.tbs()),
        "RawSubjectPublicKeyInfo": base64(request.public_key.spki_der()),
        "RawSubject": base64(request.subject.der()),
        "Version": 0,
        "Signature": base64(request.signature()),
        "SignatureAlgorithm": signature,
        "PublicKeyAlgorithm": key,
        "Subject": {
            "Country": all(&Attribute::Country),
            "Organization": all(&Attribute::Organization),
            "OrganizationalUnit": all(&Attribute::OrganizationalUnit),
            "Locality": all(&Attribute::Locality),
            "Province": all(&Attribute::State),
            "StreetAddress": all(&Attribute::StreetAddress),
            "PostalCode": all(&Attribute::PostalCode),
            "SerialNumber": last(&Attribute::SerialNumber),
            "CommonName": last(&Attribute::CommonName),
            "Names": or_null(request.subject.attributes.iter().map(typed).collect()),
            "ExtraNames": Value::Null,
        },
        "Attributes": extension_request(&request.extensions.all),
        "Extensions": or_null(extensions),
        "ExtraExtensions": Value::Null,
        "DNSNames": texts(|name| match name {
            GeneralName::Dns(text) => Some(text.clone()),
            _ => None,
        }),
        "EmailAddresses": texts(|name| match name {
            GeneralName::Email(text) => Some(text.clone()),
            _ => None,
        }),
        "IPAddresses": texts(|name| name.ip().map(|ip| ip.to_string())),
        "URIs": texts(|name| match name {
            GeneralName::Uri(text) => Some(text.clone()),
            _ => None,
        }),
    })
}

/// A list. An empty slice is null in Go.
fn or_null(values: Vec<Value>) -> Value {
    if values.is_empty() { Value::Null } else { Value::Array(values) }
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
