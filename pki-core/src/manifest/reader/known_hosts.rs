//! The names and addresses of the hosts that were read, and their conflicts.

use std::collections::HashMap;
use std::net::IpAddr;

/// A list of hosts in the manifest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Group {
    Etcd,
    ControlPlane,
    Workers,
}

impl Group {
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ControlPlane => "control_plane",
            Self::Workers => "workers",
        }
    }

    pub(super) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Etcd => &[
                "name",
                "ip",
                "reached_by",
                "sans",
                "initial_cluster_state",
                "key",
                "expiry",
                "combined",
            ],
            Self::ControlPlane => &["name", "ip", "key", "expiry"],
            Self::Workers => &["name", "ip"],
        }
    }

    /// True if one machine can be in both: a member that is also a control plane.
    pub(super) fn may_share(self, other: Self) -> bool {
        self != other && self != Self::Workers && other != Self::Workers
    }
}

/// The places of names and addresses.
pub(super) struct Seen {
    pub(super) group: Group,
    pub(super) host: String,
    pub(super) place: String,
}

impl Seen {
    /// An earlier place of the same name that cannot be the same machine, if there is one. Adds this place.
    pub(super) fn clash_with(self, seen: &mut Vec<Self>) -> Option<String> {
        let is_other =
            |other: &&Self| other.host != self.host || !self.group.may_share(other.group);
        let clash = seen.iter().find(is_other).map(|other| other.place.clone());
        seen.push(self);
        clash
    }
}

/// The names and addresses of all hosts so far.
#[derive(Default)]
pub(super) struct KnownHosts {
    pub(super) names: HashMap<String, Vec<Seen>>,
    pub(super) addresses: HashMap<IpAddr, Vec<Seen>>,
}

impl KnownHosts {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}
