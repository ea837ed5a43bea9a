//! extKeyUsage (RFC 5280 section 4.2.1.12).

use std::fmt;

use crate::oid::Oid;

/// An extended key usage (RFC 5280 section 4.2.1.12).
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a name for an OID")]
pub struct ExtendedKeyUsage(pub Oid);

/// The OID, its name in RFC 5280 or elsewhere, and cfssl's names for it.
pub(super) const EXTENDED: [(&str, &str, &[&str]); 12] = [
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
