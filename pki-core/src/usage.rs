//! Key usages and extended key usages with cfssl's names for them, and the purposes that require them.

#[cfg(feature = "profiles")]
mod cfssl;

use std::fmt;

use crate::oid::Oid;

#[cfg(feature = "profiles")]
pub(crate) use self::cfssl::{Usage, usage_named, usage_names};

/// The keyUsage bits (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct KeyUsages(u16);

impl KeyUsages {
    /// digitalSignature
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// contentCommitment, formerly nonRepudiation
    pub const CONTENT_COMMITMENT: Self = Self(1 << 1);
    /// keyEncipherment
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// dataEncipherment
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// keyAgreement
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    /// keyCertSign
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// cRLSign
    pub const CRL_SIGN: Self = Self(1 << 6);
    /// encipherOnly
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    /// decipherOnly
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

    /// Bit n of the result is bit n of the BIT STRING.
    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }

    /// True if every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True if no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bits of `self` that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The names of the set bits, as in RFC 5280.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [&str; 9] = [
            "digitalSignature",
            "contentCommitment",
            "keyEncipherment",
            "dataEncipherment",
            "keyAgreement",
            "keyCertSign",
            "cRLSign",
            "encipherOnly",
            "decipherOnly",
        ];
        NAMES
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, name)| name)
    }

    /// The set bits, one by one, lowest first.
    pub(crate) fn iter(self) -> impl Iterator<Item = Self> {
        (0..9).map(|bit| Self(1 << bit)).filter(move |bit| self.contains(*bit))
    }
}

impl fmt::Debug for KeyUsages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The role of a certificate in an etcd cluster.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Purpose {
    /// No specific role
    #[default]
    Any,
    /// A CA, verified by itself
    Ca,
    /// A client of etcd, such as the Kubernetes API server
    Client,
    /// A member for the other members (port 2380)
    Peer,
    /// A member for its clients (port 2379)
    Server,
}

impl Purpose {
    /// The extended key usages that the purpose requires.
    pub(crate) fn usages(self) -> &'static [ExtendedKeyUsage] {
        static BOTH: [ExtendedKeyUsage; 2] =
            [ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()];
        match self {
            Self::Any | Self::Ca => &[],
            Self::Client => &BOTH[1..],
            Self::Peer => &BOTH,
            Self::Server => &BOTH[..1],
        }
    }
}

/// An extended key usage (RFC 5280 section 4.2.1.12).
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a name for an OID")]
pub struct ExtendedKeyUsage(pub Oid);

/// The OID, its name in RFC 5280 or elsewhere, and cfssl's names for it.
const EXTENDED: [(&str, &str, &[&str]); 12] = [
    ("2.5.29.37.0", "anyExtendedKeyUsage", &["any"]),
    ("1.3.6.1.5.5.7.3.1", "serverAuth", &["server auth"]),
    ("1.3.6.1.5.5.7.3.2", "clientAuth", &["client auth"]),
    ("1.3.6.1.5.5.7.3.3", "codeSigning", &["code signing"]),
    ("1.3.6.1.5.5.7.3.4", "emailProtection", &["email protection", "s/mime"]),
    ("1.3.6.1.5.5.7.3.5", "ipsecEndSystem", &["ipsec end system"]),
    ("1.3.6.1.5.5.7.3.6", "ipsecTunnel", &["ipsec tunnel"]),
    ("1.3.6.1.5.5.7.3.7", "ipsecUser", &["ipsec user"]),
    ("1.3.6.1.5.5.7.3.8", "timeStamping", &["timestamping"]),
    ("1.3.6.1.5.5.7.3.9", "OCSPSigning", &["ocsp signing"]),
    ("1.3.6.1.4.1.311.10.3.3", "msSGC", &["microsoft sgc"]),
    ("2.16.840.1.113730.4.1", "nsSGC", &["netscape sgc"]),
];

impl ExtendedKeyUsage {
    /// id-kp-serverAuth
    pub const fn server_auth() -> Self {
        Self(Oid::trusted("1.3.6.1.5.5.7.3.1"))
    }

    /// id-kp-clientAuth
    pub const fn client_auth() -> Self {
        Self(Oid::trusted("1.3.6.1.5.5.7.3.2"))
    }

    /// True for anyExtendedKeyUsage.
    pub fn is_any(&self) -> bool {
        self.0.as_str() == "2.5.29.37.0"
    }
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dotted = self.0.as_str();
        let name = EXTENDED.iter().find(|(oid, ..)| *oid == dotted);
        f.write_str(name.map_or(dotted, |(_, name, _)| name))
    }
}
