//! The manifest of a cluster: its grammar, and a reader that reports every mistake at once.

mod endpoint;
mod kubernetes;
mod model;
mod reader;
mod values;

pub use self::endpoint::Endpoint;
pub use self::kubernetes::KubernetesVersion;
pub use self::model::{
    CaSpec, Client, ClientFormat, ClusterState, EtcdConfig, Host, Manifest, Paths, ReachedBy,
};
pub(crate) use self::values::client_name;
