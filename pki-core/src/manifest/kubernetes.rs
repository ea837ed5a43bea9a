//! Releases of Kubernetes, because kubeadm's configuration depends on them.

use std::fmt;

/// A release of Kubernetes: the minor number of 1.x, and the patch number if it is given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KubernetesVersion {
    /// The minor number.
    pub minor: u32,
    /// The patch number.
    pub patch: Option<u32>,
}

impl KubernetesVersion {
    /// The first release whose kubeadm reads v1beta3.
    pub(super) const OLDEST: u32 = 22;

    /// The API version of the configuration that its kubeadm reads. v1beta4 came with 1.31
    /// (kubernetes.io, kubeadm Configuration (v1beta4)).
    pub const fn kubeadm_api(self) -> &'static str {
        if self.minor >= 31 { "kubeadm.k8s.io/v1beta4" } else { "kubeadm.k8s.io/v1beta3" }
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}
