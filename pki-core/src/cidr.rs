//! IP networks, for name constraints.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::Error;

/// An IP network: an address and a prefix length, without host bits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// The network address.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The prefix length in bits.
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }
}

impl FromStr for Cidr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |problem: &str, hint: String| {
            Err(Error::invalid("network", text, problem).hinted(hint))
        };
        let example = || "write 192.0.2.0/24 or 2001:db8::/32".to_owned();
        let Some((address, prefix)) = text.split_once('/') else {
            return bad("the prefix length is missing", example());
        };
        let Ok(address) = address.parse::<IpAddr>() else {
            return bad("not a network address", example());
        };
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix.parse::<u8>() {
            Ok(number) if number <= bits && prefix.bytes().all(|b| b.is_ascii_digit()) => number,
            _ => return bad(&format!("the prefix length must be from 0 to {bits}"), example()),
        };
        let network = match address {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(u32::from(32 - prefix)).unwrap_or(0);
                IpAddr::from((u32::from(ip) & mask).to_be_bytes())
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(u32::from(128 - prefix)).unwrap_or(0);
                IpAddr::from((u128::from(ip) & mask).to_be_bytes())
            }
        };
        if network != address {
            return bad(
                "the address has bits set after the prefix",
                format!("write {network}/{prefix}"),
            );
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_keep_no_host_bits() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0"] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        }
        for text in [
            "10.0.0.1/8",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/99",
            "10.0.0.0/8/x",
            "10.0.0.0/+8",
            "x/8",
            "::1/64",
        ] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }
}
