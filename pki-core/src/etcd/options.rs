//! The options of etcd: their names, their keys in the configuration file, and the releases that have them.

mod option;
mod table;

pub(super) use self::option::{CLIENT_SECTION, PEER_SECTION};
pub use self::option::{EtcdOption, OptionKind, YamlKey};
pub use self::table::etcd_options;
pub(super) use self::table::nearest;
