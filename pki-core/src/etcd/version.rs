//! The releases of etcd.

use std::fmt;

/// A release of etcd: major, minor, patch. The highest patch number means the newest release of its line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "a version has three numbers")]
pub struct EtcdVersion(pub u32, pub u32, pub u32);

impl EtcdVersion {
    /// Whether `allowed-hostname` is a list in the configuration file. In 3.5.14 it was a single string, with which later
    /// releases exit. Before that, it was only a flag and an environment variable (etcd-io/etcd CHANGELOG-3.5, #18063 and
    /// #18160).
    pub fn has_allowed_hostname_in_yaml(self) -> bool {
        self >= Self(3, 5, 15)
    }
}

/// `3.5.15`, or `3.5` for the newest release of that line.
impl fmt::Display for EtcdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.2 {
            u32::MAX => write!(f, "{}.{}", self.0, self.1),
            patch => write!(f, "{}.{}.{patch}", self.0, self.1),
        }
    }
}
