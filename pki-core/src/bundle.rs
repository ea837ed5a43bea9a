//! The files of a host's folder that use its certificates: etcd's, kubeadm's and etcdctl's
//! configuration, all from the manifest, so that they cannot disagree.

mod clients;
mod etcd;
mod files;
mod state;

pub use self::files::{Bundles, Generated};
pub use self::state::{InitialStates, MemberFiles};
