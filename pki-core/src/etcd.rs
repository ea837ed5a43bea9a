//! Reads the configuration of one etcd: its systemd unit, its environment, its flags and its configuration file.

mod environment;
mod expansion;
mod flags;
mod options;
mod settings;
mod unit;
mod url;
mod version;
mod words;
mod yaml;

pub(crate) use self::environment::EnvironmentFile;
pub use self::options::{EtcdOption, OptionKind, YamlKey, etcd_options};
pub use self::settings::{EtcdSettings, FileLookup, Remark, RemarkKind};
pub use self::unit::UnitAccount;
pub(crate) use self::url::Url;
pub use self::version::EtcdVersion;
