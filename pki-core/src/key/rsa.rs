//! RSA public keys: weaknesses that are visible in their two numbers.

use der::asn1::UintRef;
use der::{AnyRef, Decode, Reader, Sequence, SliceReader};

/// `RSAPublicKey` (RFC 8017 appendix A.1.1).
#[derive(Sequence)]
pub(crate) struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
}

impl<'a> RsaPublicKey<'a> {
    pub(super) fn new(modulus: &'a [u8], public_exponent: &'a [u8]) -> der::Result<Self> {
        let number = UintRef::new;
        Ok(Self { modulus: number(modulus)?, public_exponent: number(public_exponent)? })
    }

    /// The modulus and the public exponent, big-endian.
    pub(super) fn numbers(&self) -> (&'a [u8], &'a [u8]) {
        (self.modulus.as_bytes(), self.public_exponent.as_bytes())
    }

    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        Self::from_der(der).ok()
    }

    /// The size of the modulus.
    pub(super) fn bits(&self) -> Option<usize> {
        bits(&self.modulus)
    }

    /// The public exponent if it fits in 32 bits.
    pub(crate) fn exponent(&self) -> Option<u32> {
        match self.public_exponent.as_bytes() {
            octets @ [_, ..] if octets.len() <= 4 => {
                Some(octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
            }
            _ => None,
        }
    }

    /// A prime below 752 that divides the modulus: trial division, as the CA/Browser Forum's baseline
    /// requirements ask of CAs (section 6.1.6). The primes of a good key have a thousand bits.
    pub(crate) fn small_factor(&self) -> Option<u64> {
        let octets = self.modulus.as_bytes();
        let remainder = |prime: u64| {
            octets.iter().fold(0, |rest, octet| (rest << 8 | u64::from(*octet)) % prime)
        };
        SMALL_PRIMES.into_iter().find(|prime| remainder(*prime) == 0)
    }
}

/// The size of the modulus of an `RSAPrivateKey` (RFC 8017 appendix A.1.2), whose first two fields are the
/// version and the modulus.
pub(crate) fn private_key_bits(der: &[u8]) -> Option<usize> {
    let (_version, modulus): (u8, UintRef<'_>) = AnyRef::from_der(der)
        .and_then(|key| {
            let mut fields = SliceReader::new(key.value())?;
            Ok((fields.decode()?, fields.decode()?))
        })
        .ok()?;
    bits(&modulus)
}

fn bits(number: &UintRef<'_>) -> Option<usize> {
    let octets = number.as_bytes();
    Some(octets.len() * 8 - octets.first()?.leading_zeros() as usize)
}

/// The primes below 752.
const SMALL_PRIMES: [u64; 133] = {
    let mut primes = [0; 133];
    let (mut found, mut number) = (0, 2);
    while number < 752 {
        let mut at = 0;
        while at < found && number % primes[at] != 0 {
            at += 1;
        }
        if at == found {
            primes[found] = number;
            found += 1;
        }
        number += 1;
    }
    primes
};

#[cfg(test)]
mod tests {
    use super::{RsaPublicKey, SMALL_PRIMES};

    /// RSAPublicKey of numbers of up to 120 octets.
    fn key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let number = |octets: &[u8]| {
            let sign = usize::from(octets[0] >= 0x80);
            let length = u8::try_from(octets.len() + sign).unwrap();
            [&[0x02, length][..], &[0][..sign], octets].concat()
        };
        let numbers = [number(modulus), number(exponent)].concat();
        [&[0x30, u8::try_from(numbers.len()).unwrap()][..], &numbers].concat()
    }

    #[test]
    fn the_table_of_primes_is_whole() {
        assert_eq!((SMALL_PRIMES[0], SMALL_PRIMES[132]), (2, 751));
    }

    #[test]
    fn factors_below_752_are_found_and_no_others() {
        // 2^61 - 1 and 2^31 - 1 are primes; 751 is the last prime below 752, 757 the next.
        let prime = (1_u128 << 61) - 1;
        for (factor, found) in [
            (1, None),
            (2, Some(2)),
            (3, Some(3)),
            (751, Some(751)),
            (757, None),
            (3 * 751, Some(3)),
            ((1 << 31) - 1, None),
        ] {
            let modulus = (prime * factor).to_be_bytes();
            let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
            let der = key(&modulus[zeros..], &[1, 0, 1]);
            assert_eq!(RsaPublicKey::read(&der).unwrap().small_factor(), found, "{factor}");
        }
    }

    #[test]
    fn an_exponent_is_told_as_far_as_it_may_be_too_small() {
        for (exponent, found) in [
            (&[3][..], Some(3)),
            (&[1, 0, 1], Some(65537)),
            (&[0xff, 0xff, 0xff, 0xff], Some(u32::MAX)),
            (&[1, 0, 0, 0, 1], None),
        ] {
            let der = key(&[0x55; 64], exponent);
            assert_eq!(RsaPublicKey::read(&der).unwrap().exponent(), found);
        }
    }
}
