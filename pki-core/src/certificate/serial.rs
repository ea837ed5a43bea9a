//! Serial numbers (RFC 5280 section 4.1.2.2).

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The serial number of a certificate: the contents of its INTEGER.
///
/// ```
/// use pki_core::SerialNumber;
///
/// let serial: SerialNumber = "5A:DD:56".parse()?;
/// assert_eq!(serial.to_string(), "5add56");
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SerialNumber(Vec<u8>);

impl SerialNumber {
    /// A serial number from 20 random bytes: positive, exactly 20 octets, 158 bits of them random.
    ///
    /// RFC 5280 section 4.1.2.2 allows at most 20 octets. The top bit must be clear for a positive
    /// INTEGER, and the next is set so that the number always has the same length.
    pub fn from_random(mut bytes: [u8; 20]) -> Self {
        bytes[0] = (bytes[0] & 0x3f) | 0x40;
        Self(bytes.to_vec())
    }

    /// From the contents of an INTEGER, which are kept as they are.
    pub(crate) fn from_contents(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// The octets of the INTEGER, big-endian, with the sign.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// True for a positive serial number.
    pub fn is_positive(&self) -> bool {
        self.0.first().is_some_and(|byte| *byte < 0x80) && self.0.iter().any(|byte| *byte != 0)
    }
}

impl FromStr for SerialNumber {
    type Err = Error;

    /// Reads a positive number in hexadecimal, as in etcd's log, or with colons as printed by OpenSSL.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || {
            Error::invalid("serial number", text, "not a positive hexadecimal number")
                .hinted("write it as printed by `openssl x509 -noout -serial`: 5ADD56 or 5A:DD:56")
        };
        let digits: String = text.split(':').collect();
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(bad());
        }
        // An octet is two digits, and the sign of a positive INTEGER is a clear top bit.
        let padding = match (digits.len() % 2, digits.as_bytes()[0]) {
            (1, _) => "0",
            (_, b'0'..=b'7') => "",
            _ => "00",
        };
        let digits = format!("{padding}{digits}");
        let octets = (0..digits.len()).step_by(2);
        let octets: Result<_, _> =
            octets.map(|at| u8::from_str_radix(&digits[at..at + 2], 16)).collect();
        octets.map(Self).map_err(|_| bad())
    }
}

/// Hexadecimal without separators, as in etcd's log.
impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::SerialNumber;

    #[test]
    fn hexadecimal_numbers_are_read_as_positive_integers() {
        for (text, octets) in [
            ("1", &[1][..]),
            ("7f", &[0x7f]),
            ("80", &[0, 0x80]),
            ("0080", &[0, 0x80]),
            ("F00", &[0x0f, 0]),
            ("5a:dd:56", &[0x5a, 0xdd, 0x56]),
        ] {
            let serial: SerialNumber = text.parse().unwrap();
            assert_eq!(serial.as_bytes(), octets, "{text}");
            assert_eq!(serial.to_string().parse::<SerialNumber>().unwrap(), serial);
        }
        for text in ["", "0", "00:00", "0x10", "-5", "junk", "1 2", "é"] {
            assert!(text.parse::<SerialNumber>().is_err(), "{text}");
        }
    }
}
