//! Certificates that this crate would not issue, written directly with rcgen, which applies no rules.

use pki_core::{Certificate, ExtendedKeyUsage, KeyAlgorithm, KeyUsages, PrivateKey, San, Signer};
use rcgen::{
    CertificateParams, CertificateRevocationListParams, DnType, DnValue, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, PublicKeyData, RevokedCertParams, SanType,
    SerialNumber, SigningKey, SubjectPublicKeyInfo,
};
use rustls_pki_types::CertificateDer;
use time::Duration;
use x509_parser::asn1_rs::{Any, FromDer};

use crate::lab::{Ca, NOW, moment};

/// A key of this crate for rcgen.
pub(crate) struct EncoderKey<'a> {
    key: &'a PrivateKey,
    public: SubjectPublicKeyInfo,
}

impl<'a> EncoderKey<'a> {
    pub(crate) fn new(key: &'a PrivateKey) -> Self {
        let public = SubjectPublicKeyInfo::from_der(&key.public_key().spki()).unwrap();
        Self { key, public }
    }
}

impl PublicKeyData for EncoderKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public.der_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        match self.key.public_key().algorithm().unwrap() {
            KeyAlgorithm::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyAlgorithm::EcdsaP521 => &rcgen::PKCS_ECDSA_P521_SHA512,
            KeyAlgorithm::Ed25519 => &rcgen::PKCS_ED25519,
            KeyAlgorithm::Rsa(_) => &rcgen::PKCS_RSA_SHA256,
            _ => &rcgen::PKCS_ECDSA_P256_SHA256,
        }
    }
}

impl SigningKey for EncoderKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// The parameters of an ordinary certificate for this key, for tests to modify.
pub(crate) fn params(cn: &str, key: &PrivateKey) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let cn = DnValue::PrintableString(cn.try_into().unwrap());
    params.distinguished_name.push(DnType::CommonName, cn);
    params.serial_number = Some(SerialNumber::from(moment().serial.as_bytes().to_vec()));
    params.not_before = NOW - Duration::minutes(5);
    params.not_after = NOW + Duration::days(365);
    params.key_identifier_method = KeyIdMethod::PreSpecified(key.public_key().key_id().0);
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::ExplicitNoCa;
    params
}

/// The parameters of an ordinary CA, for tests to modify.
pub(crate) fn ca_params(cn: &str, key: &PrivateKey) -> CertificateParams {
    let mut params = params(cn, key);
    params.not_after = NOW + Duration::days(3650);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = false;
    params
}

pub(crate) fn self_signed(params: &CertificateParams, key: &PrivateKey) -> Certificate {
    let key = EncoderKey::new(key);
    let issuer = Issuer::from_params(params, &key);
    Certificate::from_der(params.signed_by(&key, &issuer).unwrap().der()).unwrap()
}

pub(crate) fn signed(
    params: &CertificateParams,
    key: &PrivateKey,
    ca: &Certificate,
    ca_key: &PrivateKey,
) -> Certificate {
    let der = CertificateDer::from(ca.der());
    let issuer = Issuer::from_ca_cert_der(&der, EncoderKey::new(ca_key)).unwrap();
    let certificate = params.signed_by(&EncoderKey::new(key), &issuer).unwrap();
    Certificate::from_der(certificate.der()).unwrap()
}

pub(crate) fn san(name: &San) -> SanType {
    match name {
        San::Ip(ip) => SanType::IpAddress(*ip),
        San::Email(_) => SanType::Rfc822Name(name.value().try_into().unwrap()),
        San::Uri(_) => SanType::URI(name.value().try_into().unwrap()),
        _ => SanType::DnsName(name.value().try_into().unwrap()),
    }
}

pub(crate) fn key_usages(usages: KeyUsages) -> Vec<KeyUsagePurpose> {
    [
        (KeyUsages::DIGITAL_SIGNATURE, KeyUsagePurpose::DigitalSignature),
        (KeyUsages::KEY_CERT_SIGN, KeyUsagePurpose::KeyCertSign),
        (KeyUsages::CRL_SIGN, KeyUsagePurpose::CrlSign),
    ]
    .into_iter()
    .filter(|(usage, _)| usages.contains(*usage))
    .map(|(_, purpose)| purpose)
    .collect()
}

pub(crate) fn extended_key_usages(usages: &[ExtendedKeyUsage]) -> Vec<ExtendedKeyUsagePurpose> {
    let arcs = |text: &str| text.split('.').map(|arc| arc.parse().unwrap()).collect();
    usages.iter().map(|usage| ExtendedKeyUsagePurpose::Other(arcs(usage.0.as_str()))).collect()
}

/// A CRL by this CA.
pub(crate) fn crl(ca: &Ca, revoked_certs: Vec<RevokedCertParams>) -> Vec<u8> {
    crl_by(ca.certificate(), &ca.key, revoked_certs)
}

pub(crate) fn crl_by(
    ca: &Certificate,
    key: &PrivateKey,
    revoked_certs: Vec<RevokedCertParams>,
) -> Vec<u8> {
    let params = CertificateRevocationListParams {
        this_update: NOW - Duration::hours(1),
        next_update: NOW + Duration::days(7),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs,
        key_identifier_method: KeyIdMethod::PreSpecified(ca.public_key.key_id().0),
    };
    let der = CertificateDer::from(ca.der());
    let issuer = Issuer::from_ca_cert_der(&der, EncoderKey::new(key)).unwrap();
    params.signed_by(&issuer).unwrap().der().to_vec()
}

/// Replaces some to-be-signed octets of the certificate by the same number of octets and signs it again, for
/// contents that the encoder refuses to write.
pub(crate) fn resigned(
    certificate: &Certificate,
    ca_key: &PrivateKey,
    from: &[u8],
    to: &[u8],
) -> Certificate {
    assert_eq!(from.len(), to.len());
    let (_, whole) = Any::from_der(certificate.der()).unwrap();
    let (algorithm_and_signature, _) = Any::from_der(whole.data).unwrap();
    let (signature, _) = Any::from_der(algorithm_and_signature).unwrap();
    let tbs_length = whole.data.len() - algorithm_and_signature.len();
    let mut body = whole.data[..whole.data.len() - signature.len()].to_vec();
    let at = body.windows(from.len()).position(|octets| octets == from).unwrap();
    body[at..at + to.len()].copy_from_slice(to);
    let signature = ca_key.sign(&body[..tbs_length]).unwrap();
    body.extend(tlv(0x03, &[&[0], signature.as_slice()].concat()));
    Certificate::from_der(&tlv(0x30, &body)).unwrap()
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let header = match (high, low) {
        (0, ..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header.as_slice(), contents].concat()
}
