//! The options of etcd: their names, their places in the configuration file, and the releases that know
//! them.

mod table;

use self::table::OPTIONS;
use super::EtcdVersion;
use crate::suggest;

/// An option of etcd.
#[derive(Debug)]
#[non_exhaustive]
pub struct EtcdOption {
    /// The long name of its flag; the environment variable is `ETCD_` and the name in upper case.
    pub name: &'static str,
    /// What its value is.
    pub kind: OptionKind,
    /// Its key in the configuration file.
    pub yaml: YamlKey,
    flag: Releases,
    in_yaml: Releases,
    decides_access: bool,
}

/// What the value of an option is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OptionKind {
    /// A duration of Go, such as `5s`
    Duration,
    /// A list: with commas in a flag or variable, a sequence in YAML
    List,
    /// A number
    Number,
    /// `true` or `false`
    Switch,
    /// Any text
    Text,
    /// URLs with commas between them, in YAML too
    Urls,
}

/// Where the configuration file has an option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum YamlKey {
    /// Under `client-transport-security`, by this key
    Client(&'static str),
    /// Nowhere: only a flag or a variable sets it
    Nowhere,
    /// Under `peer-transport-security`, by this key
    Peer(&'static str),
    /// At the top, by its own name
    Top,
}

/// The releases that know something.
#[derive(Clone, Copy, Debug)]
struct Releases {
    /// The first, and where it came to several lines the first of each line.
    since: &'static [EtcdVersion],
    /// The first that no longer knows it.
    until: Option<EtcdVersion>,
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

/// Every option that a release from 3.4 to 3.7 knows.
pub fn etcd_options() -> impl Iterator<Item = &'static EtcdOption> {
    OPTIONS.iter()
}

impl EtcdOption {
    /// The option with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        OPTIONS.iter().find(|option| option.name == name)
    }

    /// Whether this release has it as a flag, and so as an environment variable.
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

    /// `client-transport-security.cert-file`, where the configuration file has it.
    pub fn yaml_path(&self) -> Option<String> {
        match self.yaml {
            YamlKey::Client(key) => Some(format!("{CLIENT_SECTION}.{key}")),
            YamlKey::Nowhere => None,
            YamlKey::Peer(key) => Some(format!("{PEER_SECTION}.{key}")),
            YamlKey::Top => Some(self.name.to_owned()),
        }
    }

    /// Whether it has a part in who can reach etcd, so that a member without it may be open.
    pub(super) const fn decides_access(&self) -> bool {
        self.decides_access
    }

    const fn since(self, since: &'static [EtcdVersion]) -> Self {
        let until = self.flag.until;
        Self { flag: Releases { since, until }, in_yaml: Releases { since, until }, ..self }
    }

    const fn until(self, until: EtcdVersion) -> Self {
        let flag = Releases { until: Some(until), ..self.flag };
        Self { flag, in_yaml: Releases { until: Some(until), ..self.in_yaml }, ..self }
    }

    const fn yaml_since(self, since: &'static [EtcdVersion]) -> Self {
        Self { in_yaml: Releases { since, ..self.in_yaml }, ..self }
    }

    const fn only_flag(self) -> Self {
        Self { yaml: YamlKey::Nowhere, ..self }
    }

    const fn only_yaml(self) -> Self {
        Self { flag: Releases { since: NEVER, ..self.flag }, ..self }
    }

    const fn client(self, key: &'static str) -> Self {
        Self { yaml: YamlKey::Client(key), decides_access: true, ..self }
    }

    const fn peer(self, key: &'static str) -> Self {
        Self { yaml: YamlKey::Peer(key), decides_access: true, ..self }
    }

    const fn access(self) -> Self {
        Self { decides_access: true, ..self }
    }
}

/// The section of the configuration file about the client port.
pub(super) const CLIENT_SECTION: &str = "client-transport-security";
/// The section of the configuration file about the peer port.
pub(super) const PEER_SECTION: &str = "peer-transport-security";

/// The name of the option that a mistyped name resembles, among those that a release knows.
pub(super) fn nearest(
    name: &str,
    known: impl Fn(&EtcdOption) -> bool,
) -> Option<&'static EtcdOption> {
    let candidates = OPTIONS.iter().filter(|option| known(option)).map(|option| option.name);
    suggest::nearest(name, candidates).and_then(EtcdOption::find)
}

const NEVER: &[EtcdVersion] = &[];
