//! An option of etcd: its names, its type, and the releases that have it.

use crate::etcd::EtcdVersion;

/// An option of etcd.
#[derive(Debug)]
#[non_exhaustive]
pub struct EtcdOption {
    /// The long name of its flag. The environment variable is `ETCD_` and the name in upper case.
    pub name: &'static str,
    /// The type of its value.
    pub kind: OptionKind,
    /// Its key in the configuration file.
    pub yaml: YamlKey,
    pub(super) flag: Releases,
    pub(super) in_yaml: Releases,
    pub(super) decides_access: bool,
}

/// The type of an option's value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OptionKind {
    /// A Go duration, such as `5s`
    Duration,
    /// A list: separated by commas in a flag or variable, a sequence in YAML
    List,
    /// A number
    Number,
    /// `true` or `false`
    Switch,
    /// Any text
    Text,
    /// URLs separated by commas, also in YAML
    Urls,
}

/// The key of an option in the configuration file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum YamlKey {
    /// Under `client-transport-security`, with this key
    Client(&'static str),
    /// None: it can only be set with a flag or a variable
    Nowhere,
    /// Under `peer-transport-security`, with this key
    Peer(&'static str),
    /// At the top level, with its own name
    Top,
}

/// The releases that have an option or a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Releases {
    /// The first release; if it was added to several release lines, the first of each.
    pub(super) since: &'static [EtcdVersion],
    /// The first release that no longer has it.
    pub(super) until: Option<EtcdVersion>,
}

impl Releases {
    fn contain(self, version: EtcdVersion) -> bool {
        let line = |release: &EtcdVersion| (release.0, release.1);
        let own_line = self.since.iter().find(|since| line(since) == line(&version));
        let known = match own_line {
            Some(since) => version >= *since,
            None => self.since.iter().any(|since| line(since) < line(&version)),
        };
        known && self.until.is_none_or(|until| version < until)
    }
}

impl EtcdOption {
    /// Whether this release has it as a flag, and therefore as an environment variable.
    pub fn is_flag_in(&self, version: EtcdVersion) -> bool {
        self.flag.contain(version)
    }

    /// Whether this release reads it from its configuration file.
    pub fn is_yaml_in(&self, version: EtcdVersion) -> bool {
        self.yaml != YamlKey::Nowhere && self.in_yaml.contain(version)
    }

    /// `ETCD_CERT_FILE`
    pub fn variable(&self) -> String {
        format!("ETCD_{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// `client-transport-security.cert-file`, if it has a key in the configuration file.
    pub fn yaml_path(&self) -> Option<String> {
        match self.yaml {
            YamlKey::Client(key) => Some(format!("{CLIENT_SECTION}.{key}")),
            YamlKey::Nowhere => None,
            YamlKey::Peer(key) => Some(format!("{PEER_SECTION}.{key}")),
            YamlKey::Top => Some(self.name.to_owned()),
        }
    }

    /// Whether it affects who can connect to etcd, so that a member without it may be open.
    pub(in crate::etcd) const fn decides_access(&self) -> bool {
        self.decides_access
    }

    pub(super) const fn since(self, since: &'static [EtcdVersion]) -> Self {
        let until = self.flag.until;
        Self { flag: Releases { since, until }, in_yaml: Releases { since, until }, ..self }
    }

    pub(super) const fn until(self, until: EtcdVersion) -> Self {
        let flag = Releases { until: Some(until), ..self.flag };
        Self { flag, in_yaml: Releases { until: Some(until), ..self.in_yaml }, ..self }
    }

    pub(super) const fn yaml_since(self, since: &'static [EtcdVersion]) -> Self {
        Self { in_yaml: Releases { since, ..self.in_yaml }, ..self }
    }

    pub(super) const fn only_flag(self) -> Self {
        Self { yaml: YamlKey::Nowhere, ..self }
    }

    pub(super) const fn only_yaml(self) -> Self {
        Self { flag: Releases { since: NEVER, ..self.flag }, ..self }
    }

    pub(super) const fn client(self, key: &'static str) -> Self {
        Self { yaml: YamlKey::Client(key), decides_access: true, ..self }
    }

    pub(super) const fn peer(self, key: &'static str) -> Self {
        Self { yaml: YamlKey::Peer(key), decides_access: true, ..self }
    }

    pub(super) const fn access(self) -> Self {
        Self { decides_access: true, ..self }
    }
}

/// The section of the configuration file about the client port.
pub(in crate::etcd) const CLIENT_SECTION: &str = "client-transport-security";
/// The section of the configuration file about the peer port.
pub(in crate::etcd) const PEER_SECTION: &str = "peer-transport-security";

pub(super) const NEVER: &[EtcdVersion] = &[];
