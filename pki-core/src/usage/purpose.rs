//! The purpose that a certificate is verified for.

use super::extended::ExtendedKeyUsage;

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
