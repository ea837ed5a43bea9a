//! `cfssl certinfo -csr`: a certification request as JSON, in the form of Go's `x509.CertificateRequest`.

use pki_core::{Attribute, CertificateRequest, GeneralName, KeyAlgorithm};
use serde_json::{Value, json};

pub(super) fn json(request: &CertificateRequest) -> Value {
    let names = request.extensions.subject_alt_name.as_deref().unwrap_or_default();
    let texts = |text: fn(&GeneralName) -> Option<String>| {
        let found: Vec<String> = names.iter().filter_map(text).collect();
        // An empty slice is null in Go.
        if found.is_empty() { Value::Null } else { json!(found) }
    };
    let attributes = |attribute: &Attribute| {
        let values =
            request.subject.attributes.iter().filter(|entry| entry.attribute == *attribute);
        values.map(|entry| entry.value.clone()).collect::<Vec<_>>()
    };
    let all = |attribute: &Attribute| {
        let values = attributes(attribute);
        if values.is_empty() { Value::Null } else { json!(values) }
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
        "RawSubjectPublicKeyInfo": base64(request.public_key.spki_der()),
        "RawSubject": base64(request.subject.der()),
        "Version": 0,
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
            "Names": request.subject.attributes.iter().map(typed).collect::<Vec<_>>(),
            "ExtraNames": Value::Null,
        },
        "Extensions": if extensions.is_empty() { Value::Null } else { json!(extensions) },
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
