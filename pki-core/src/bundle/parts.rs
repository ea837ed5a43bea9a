//! What a host is in its cluster.

use crate::manifest::{Client, Host};

/// The roles of a host in the cluster. A machine can have several.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) member: Option<&'a Host>,
    pub(super) is_control_plane: bool,
    /// Its clients other than an API server.
    pub(super) clients: Vec<&'a Client>,
}
