//! `cfssl gencrl`: a CRL of numbers in a file, in base64.

use base64ct::{Base64, Encoding as _};
use pki_core::{CrlRequest, KeyAlgorithm, KeyId, RevokedCertificate, SerialNumber};
use time::Duration;

use super::flags::Flags;
use super::log::Log;
use super::{authority, input, request};
use crate::failure::Failure;
use crate::host;

/// The default lifetime of a CRL.
const WEEK: i64 = 7 * 24 * 3600;

pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    request::warn_of_flags(flags, &[], log);
    let (numbers, certificate, key, seconds) = match flags.arguments.as_slice() {
        [numbers, certificate, key] => (numbers, certificate, key, WEEK),
        [numbers, certificate, key, time] => (numbers, certificate, key, seconds(time)?),
        _ => {
            return Err(Failure::usage(
                "not enough arguments are supplied --- please refer to the usage",
            )
            .hinted("write cfssl gencrl NUMBERS CERT KEY [SECONDS]"));
        }
    };
    let ca = authority::open_named(certificate, key, log)?;
    let now = host::now();
    let text = input::read(numbers)?;
    let mut revoked: Vec<RevokedCertificate> = Vec::new();
    for (index, line) in String::from_utf8_lossy(&text).lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let number = number(line.trim()).ok_or_else(|| {
            Failure::usage(format!(
                "{}, line {}: {:?} is not a certificate number in decimal",
                request::shown(numbers),
                index + 1,
                line.trim()
            ))
            .hinted("write one number in each line, as in the log of cfssl and in cfssl certinfo")
        })?;
        if revoked.iter().any(|known| known.serial == number) {
            log.difference(&format!("{} is listed twice; it is written once", line.trim()));
        } else {
            revoked.push(RevokedCertificate {
                serial: number,
                revoked_at: now,
                reason: None,
                invalid_since: None,
            });
        }
    }
    let asked = CrlRequest {
        // The time as the number: greater than that of every earlier CRL, although nothing records that.
        number: u64::try_from(now.unix_timestamp()).unwrap_or_default(),
        this_update: now,
        next_update: now + Duration::seconds(seconds),
        revoked,
    };
    if matches!(ca.certificate().public_key.algorithm(), Some(KeyAlgorithm::Rsa(3072..))) {
        log.difference(
            "the CRL is signed with the hash of the CA's certificates; cfssl signs it with SHA-256",
        );
    }
    let crl = ca.sign_crl(&asked, now)?;
    log.check_strict()?;
    host::print(&format!("{}\n", Base64::encode_string(crl.der())))
}

fn seconds(time: &str) -> Result<i64, Failure> {
    let seconds = time.parse().ok().filter(|seconds| (1..=i64::from(u32::MAX)).contains(seconds));
    seconds.ok_or_else(|| {
        Failure::usage(format!("{time:?} is not a number of seconds"))
            .hinted("write for how long the CRL is valid, such as 604800 for seven days")
    })
}

/// A positive decimal number of at most 20 octets (RFC 5280 section 4.1.2.2).
fn number(text: &str) -> Option<SerialNumber> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut octets = [0_u8; 20];
    for digit in text.bytes() {
        let mut carry = u32::from(digit - b'0');
        for octet in octets.iter_mut().rev() {
            carry += u32::from(*octet) * 10;
            *octet = u8::try_from(carry & 0xff).unwrap_or_default();
            carry >>= 8;
        }
        if carry > 0 {
            return None;
        }
    }
    KeyId(octets.to_vec()).to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_decimal_and_have_at_most_20_octets() {
        let shown = |text| number(text).map(|number| number.to_string());
        assert_eq!(shown("255").as_deref(), Some("00ff"));
        assert_eq!(shown("256").as_deref(), Some("0100"));
        for text in ["junk", "0x10", "5A:DD:56", "-5", "1 2"] {
            assert_eq!(shown(text), None, "{text}");
        }
        assert_eq!(shown(&"9".repeat(49)), None);
    }
}
