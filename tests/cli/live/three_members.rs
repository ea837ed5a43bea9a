//! A cluster of three members and one master, whose machines have the real paths.

/// The machines and the hosts that they are.
pub(super) const MACHINES: [(&str, &str); 4] = [
    ("etcdone", "etcdone"),
    ("etcdtwo", "etcdtwo"),
    ("etcdthree", "etcdthree"),
    ("masterone", "masterone"),
];

/// The members and their addresses.
pub(super) const MEMBERS: [(&str, &str); 3] =
    [("etcdone", "192.168.29.61"), ("etcdtwo", "192.168.29.62"), ("etcdthree", "192.168.29.63")];

pub(super) const MANIFEST: &str = "\
cluster: lab
etcd:
  - { name: etcdone, ip: 192.168.29.61 }
  - { name: etcdtwo, ip: 192.168.29.62 }
  - { name: etcdthree, ip: 192.168.29.63 }
control_plane:
  - { name: masterone, ip: 192.168.29.51 }
";
