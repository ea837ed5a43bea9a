//! Certificates and CRLs as rows, and the forms in which cfssl keeps their values.

use std::path::Path;

use pki_core::{Certificate, Crl, Error, ExtendedKeyUsage, RevocationReason};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The profile in the row of a CA's own certificate.
pub(crate) const CA_PROFILE: &str = "ca";

/// The built-in profile that a certificate of unknown origin resembles most.
pub(crate) fn profile_of(certificate: &Certificate) -> &'static str {
    let usages = certificate.extensions.extended_key_usage.as_deref();
    match usages {
        _ if certificate.is_ca() => CA_PROFILE,
        Some(usages) if usages.contains(&ExtendedKeyUsage::server_auth()) => "server",
        _ => "client",
    }
}

/// One certificate as a row.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(super) serial_number: String,
    pub(super) authority_key_identifier: String,
    pub(super) profile: String,
    pub(super) expiry: String,
    pub(super) pem: String,
    pub(super) issued_at: String,
    pub(super) not_before: String,
    pub(super) common_name: Option<String>,
    pub(super) place: Option<FilePlace>,
    pub(super) revocation: Option<(RevocationReason, OffsetDateTime)>,
}

impl Entry {
    /// The row of a certificate.
    pub(crate) fn new(
        certificate: &Certificate,
        profile: &str,
        issued_at: OffsetDateTime,
    ) -> Result<Self, Error> {
        Ok(Self {
            serial_number: decimal(certificate.serial.as_bytes()),
            authority_key_identifier: issuer_of(certificate),
            profile: profile.to_owned(),
            expiry: rfc3339(certificate.not_after),
            pem: certificate.to_pem()?,
            issued_at: rfc3339(issued_at),
            not_before: rfc3339(certificate.not_before),
            common_name: certificate.subject.common_name().map(ToOwned::to_owned),
            place: None,
            revocation: None,
        })
    }

    /// The row of a CA's own certificate. It may come from elsewhere, so it counts as issued when it became valid.
    pub(crate) fn of_ca(certificate: &Certificate) -> Result<Self, Error> {
        Self::new(certificate, CA_PROFILE, certificate.not_before)
    }

    /// The subject of the certificate, for a message.
    pub(super) fn subject(&self) -> String {
        let read = Certificate::from_pem_or_der(self.pem.as_bytes());
        let first = read.ok().and_then(|read| read.into_iter().next());
        first.map_or_else(|| self.serial_number.clone(), |first| first.subject.to_string())
    }

    /// Whether the CA with this key identifier issued the certificate.
    pub(crate) fn is_issued_by(&self, key_id: &str) -> bool {
        self.authority_key_identifier == key_id
    }

    /// The same row, with the place of the certificate's file.
    pub(crate) fn at(self, place: FilePlace) -> Self {
        Self { place: Some(place), ..self }
    }

    /// The same row of a certificate that was revoked elsewhere.
    pub(crate) fn revoked(self, reason: RevocationReason, at: OffsetDateTime) -> Self {
        Self { revocation: Some((reason, at)), ..self }
    }
}

/// Where the file of a certificate is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FilePlace {
    pub(super) host: Option<String>,
    pub(super) path: String,
}

impl FilePlace {
    /// A file in a host's folder. The path is relative to the CA's folder, which may move.
    pub(crate) fn of_host(host: &str, path: &Path) -> Self {
        Self { host: Some(host.to_owned()), path: path.display().to_string() }
    }

    /// Whether it is in the folder of a host.
    pub(crate) const fn is_on_host(&self) -> bool {
        self.host.is_some()
    }

    /// A file outside of the hosts' folders.
    pub(crate) fn elsewhere(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { host: None, path: path.display().to_string() }
    }
}

/// One CRL as a row.
#[derive(Debug)]
pub(crate) struct CrlEntry {
    pub(super) issuer: String,
    pub(super) number: u64,
    pub(super) this_update: String,
    pub(super) next_update: String,
    pub(super) pem: String,
}

impl CrlEntry {
    /// The row of a CRL that `ca` issued with this number.
    pub(crate) fn new(crl: &Crl, number: u64, ca: &Certificate) -> Result<Self, Error> {
        Ok(Self {
            issuer: key_id_of(ca),
            number,
            this_update: rfc3339(crl.this_update),
            next_update: crl.next_update.map_or_else(String::new, rfc3339),
            pem: crl.to_pem()?,
        })
    }
}

/// The key identifier in the certificates that a CA issues, in hexadecimal. They have none if the CA has none.
pub(crate) fn key_id_of(ca: &Certificate) -> String {
    ca.extensions.subject_key_id.as_ref().map_or_else(String::new, ToString::to_string)
}

/// The key identifier of a certificate's issuer, in hexadecimal. Empty if the certificate has none, as a root may.
pub(super) fn issuer_of(certificate: &Certificate) -> String {
    let aki = certificate.extensions.authority_key_id.as_ref();
    aki.and_then(|aki| aki.key_id.as_ref()).map_or_else(String::new, ToString::to_string)
}

/// A time as the inventory keeps it. Texts of this form sort in the order of time.
pub(crate) fn rfc3339(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

/// Big-endian octets as a decimal number.
pub(crate) fn decimal(octets: &[u8]) -> String {
    // Nine digits in each element, the lowest first.
    const LIMIT: u64 = 1_000_000_000;
    let mut groups: Vec<u64> = Vec::new();
    for octet in octets {
        let mut carry = u64::from(*octet);
        for group in &mut groups {
            carry += *group * 256;
            *group = carry % LIMIT;
            carry /= LIMIT;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let highest = groups.pop().unwrap_or(0).to_string();
    groups.iter().rev().fold(highest, |digits, group| digits + &format!("{group:09}"))
}

/// A decimal number in hexadecimal, as [`SerialNumber`](pki_core::SerialNumber) shows it. `None` if it is not a number.
pub(super) fn hexadecimal(digits: &str) -> Option<String> {
    let mut octets: Vec<u8> = Vec::new();
    for digit in digits.chars() {
        let mut carry = digit.to_digit(10)?;
        for octet in &mut octets {
            carry += u32::from(*octet) * 10;
            [*octet, ..] = carry.to_le_bytes();
            carry >>= 8;
        }
        if carry > 0 {
            octets.extend(carry.to_le_bytes().first());
        }
    }
    // The sign of a positive INTEGER is a clear top bit.
    if octets.last().is_none_or(|octet| *octet >= 0x80) {
        octets.push(0);
    }
    octets.reverse();
    Some(pki_core::KeyId(octets).to_string())
}

#[cfg(test)]
mod tests {
    use super::{decimal, hexadecimal};

    #[test]
    fn octets_become_decimal() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0xff; 8]), u64::MAX.to_string());
        assert_eq!(decimal(&[0xff; 16]), u128::MAX.to_string());
        assert_eq!(decimal(&1_000_000_000_000_000_007_u128.to_be_bytes()), "1000000000000000007");
    }

    #[test]
    fn decimal_becomes_the_same_octets_again() {
        for octets in [&[0_u8][..], &[1], &[0x7f], &[0, 0x80], &[0x40; 20], &[0x10, 0, 0, 0]] {
            let text: String = pki_core::KeyId(octets.to_vec()).to_string();
            assert_eq!(hexadecimal(&decimal(octets)), Some(text));
        }
        assert_eq!(hexadecimal("5a"), None);
    }
}
