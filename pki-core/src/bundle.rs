//! The configuration of etcd, kubeadm and etcdctl in a host's folder, and the script that installs the folder. All files
//! are generated from the manifest, so they are consistent.

mod clients;
mod etcd;
mod files;
mod install;
mod parts;
mod state;

pub use self::files::{Bundles, Generated};
pub use self::state::{InitialStates, MemberFiles};
