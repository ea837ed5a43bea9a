//! Converts extensions to rcgen's types, and encodes the two that rcgen does not support.

use der::asn1::{Ia5String, ObjectIdentifier};
use der::{Any, AnyRef, Decode, Encode, SliceReader};
use rcgen::{
    CidrSubnet, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, KeyUsagePurpose, SanType,
};
use x509_cert::ext::pkix::certpolicy::{DisplayText, PolicyQualifierInfo, UserNotice};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, CertificatePolicies,
    certpolicy::PolicyInformation as EncoderPolicy,
};

use super::errors::{failed, unwritable_oid};
use crate::certificate::Extension;
use crate::error::{Error, Input};
use crate::name::{San, Uri};
use crate::oid::Oid;
use crate::template::{NameConstraint, PolicyInformation, PolicyQualifier, Urls};
use crate::usage::{ExtendedKeyUsage, KeyUsages};

/// The order of extensions in the certificates of Go and cfssl. Others stand before the last two.
const ORDER: [&str; 9] = [
    "2.5.29.15",         // keyUsage
    "2.5.29.37",         // extKeyUsage
    "2.5.29.19",         // basicConstraints
    "2.5.29.14",         // subjectKeyIdentifier
    "2.5.29.35",         // authorityKeyIdentifier
    "1.3.6.1.5.5.7.1.1", // authorityInfoAccess
    "2.5.29.17",         // subjectAltName
    "2.5.29.30",         // nameConstraints
    "2.5.29.31",         // cRLDistributionPoints
];
const LAST: [&str; 2] = [
    "2.5.29.32",            // certificatePolicies
    "1.3.6.1.5.5.7.48.1.5", // ocsp-nocheck
];

/// The extensions that rcgen wrote, in the order of Go and cfssl. RFC 5280 has none.
pub(super) fn sorted(extensions: Vec<AnyRef<'_>>) -> Result<Vec<AnyRef<'_>>, Error> {
    let mut ranked: Vec<(usize, AnyRef<'_>)> = Vec::with_capacity(extensions.len());
    for extension in extensions {
        let oid =
            SliceReader::new(extension.value()).and_then(|mut fields| AnyRef::decode(&mut fields));
        let oid = Oid::from_der(oid.map_err(|error| failed(&error))?.value());
        let among = |list: &[&str]| list.iter().position(|known| *known == oid.as_str());
        let last = among(&LAST).map(|place| ORDER.len() + 1 + place);
        ranked.push((among(&ORDER).or(last).unwrap_or(ORDER.len()), extension));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    Ok(ranked.into_iter().map(|(_, extension)| extension).collect())
}

pub(super) fn key_usage(bit: KeyUsages) -> KeyUsagePurpose {
    match bit {
        KeyUsages::DIGITAL_SIGNATURE => KeyUsagePurpose::DigitalSignature,
        KeyUsages::CONTENT_COMMITMENT => KeyUsagePurpose::ContentCommitment,
        KeyUsages::KEY_ENCIPHERMENT => KeyUsagePurpose::KeyEncipherment,
        KeyUsages::DATA_ENCIPHERMENT => KeyUsagePurpose::DataEncipherment,
        KeyUsages::KEY_AGREEMENT => KeyUsagePurpose::KeyAgreement,
        KeyUsages::KEY_CERT_SIGN => KeyUsagePurpose::KeyCertSign,
        KeyUsages::CRL_SIGN => KeyUsagePurpose::CrlSign,
        KeyUsages::ENCIPHER_ONLY => KeyUsagePurpose::EncipherOnly,
        _ => KeyUsagePurpose::DecipherOnly,
    }
}

pub(super) fn extended_key_usage(
    usage: &ExtendedKeyUsage,
) -> Result<ExtendedKeyUsagePurpose, Error> {
    Ok(ExtendedKeyUsagePurpose::Other(arcs(&usage.0)?))
}

pub(super) fn subtree(constraint: &NameConstraint) -> GeneralSubtree {
    match constraint {
        NameConstraint::Dns(name) => GeneralSubtree::DnsName(name.as_str().to_owned()),
        NameConstraint::Email(text) => GeneralSubtree::Rfc822Name(text.clone()),
        NameConstraint::Ip(cidr) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(cidr.address(), cidr.prefix()))
        }
    }
}

/// RFC 6960 section 4.2.2.2.1: the value is NULL.
pub(super) fn ocsp_no_check() -> Result<CustomExtension, Error> {
    custom(&Oid::trusted("1.3.6.1.5.5.7.48.1.5"), vec![0x05, 0x00])
}

/// An extension as it is.
pub(super) fn copy(extension: &Extension) -> Result<CustomExtension, Error> {
    let mut copy = custom(&extension.oid, extension.value.clone())?;
    copy.set_criticality(extension.critical);
    Ok(copy)
}

fn custom(oid: &Oid, content: Vec<u8>) -> Result<CustomExtension, Error> {
    let arcs = arcs(oid)?;
    Ok(CustomExtension::from_oid_content(&arcs, content))
}

fn arcs(oid: &Oid) -> Result<Vec<u64>, Error> {
    oid.arcs().ok_or_else(|| unwritable_oid(oid, Input::Request))
}

/// RFC 5280 section 4.2.2.1; OCSP comes first, as in cfssl and Go.
pub(super) fn authority_info_access(urls: &Urls) -> Result<Option<CustomExtension>, Error> {
    const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
    const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");
    let ocsp = urls.ocsp.iter().map(|uri| (OCSP, uri));
    let issuers = urls.issuer.iter().map(|uri| (CA_ISSUERS, uri));
    let descriptions: Vec<AccessDescription> = ocsp
        .chain(issuers)
        .map(|(method, uri)| {
            Ok(AccessDescription {
                access_method: method,
                access_location: GeneralName::UniformResourceIdentifier(der_ia5(uri)?),
            })
        })
        .collect::<Result<_, Error>>()?;
    if descriptions.is_empty() {
        return Ok(None);
    }
    let content = AuthorityInfoAccessSyntax(descriptions).to_der().map_err(|e| failed(&e))?;
    custom(&Oid::trusted("1.3.6.1.5.5.7.1.1"), content).map(Some)
}

fn der_ia5(uri: &Uri) -> Result<Ia5String, Error> {
    Ia5String::new(uri.as_str()).map_err(|e| failed(&e))
}

/// RFC 5280 section 4.2.1.4
pub(super) fn certificate_policies(
    policies: &[PolicyInformation],
) -> Result<Option<CustomExtension>, Error> {
    const CPS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.1");
    const USER_NOTICE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.2");
    if policies.is_empty() {
        return Ok(None);
    }
    let qualifier = |qualifier: &PolicyQualifier| -> Result<PolicyQualifierInfo, Error> {
        let (id, value) = match qualifier {
            PolicyQualifier::Cps(uri) => (CPS, Any::encode_from(&der_ia5(uri)?)),
            PolicyQualifier::UserNotice(text) => {
                let notice = UserNotice {
                    notice_ref: None,
                    explicit_text: Some(DisplayText::Utf8String(text.clone())),
                };
                (USER_NOTICE, Any::encode_from(&notice))
            }
        };
        Ok(PolicyQualifierInfo {
            policy_qualifier_id: id,
            qualifier: Some(value.map_err(|e| failed(&e))?),
        })
    };
    let information = |policy: &PolicyInformation| -> Result<EncoderPolicy, Error> {
        let id = policy.id.as_str();
        let qualifiers: Vec<_> =
            policy.qualifiers.iter().map(qualifier).collect::<Result<_, _>>()?;
        Ok(EncoderPolicy {
            policy_identifier: ObjectIdentifier::new(id).map_err(|_| {
                Error::invalid("Policies", id, "an OID that is too long").of(Input::Profile)
            })?,
            policy_qualifiers: (!qualifiers.is_empty()).then_some(qualifiers),
        })
    };
    let policies: Vec<_> = policies.iter().map(information).collect::<Result<_, _>>()?;
    let content = CertificatePolicies(policies).to_der().map_err(|e| failed(&e))?;
    custom(&Oid::trusted("2.5.29.32"), content).map(Some)
}

/// A name of the subjectAltName.
pub(super) fn san(name: &San) -> Result<SanType, Error> {
    let ia5 = |text: &str| text.try_into().map_err(|error: rcgen::Error| failed(&error));
    Ok(match name {
        San::Dns(name) => SanType::DnsName(ia5(name.as_str())?),
        San::Email(address) => SanType::Rfc822Name(ia5(address.as_str())?),
        San::Ip(ip) => SanType::IpAddress(*ip),
        San::Uri(uri) => SanType::URI(ia5(uri.as_str())?),
    })
}
