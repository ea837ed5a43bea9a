//! The options of one etcd, wherever they are set.

mod elsewhere;
mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::unit::UnitAccount;
use super::url::Url;

/// The options whose values are files that etcd reads.
const FILES: [&str; 12] = [
    "cert-file",
    "client-cert-file",
    "client-crl-file",
    "client-key-file",
    "key-file",
    "peer-cert-file",
    "peer-client-cert-file",
    "peer-client-key-file",
    "peer-crl-file",
    "peer-key-file",
    "peer-trusted-ca-file",
    "trusted-ca-file",
];

/// The configuration of one etcd: its options with the long names of their flags.
/// ```
/// use pki_core::{EtcdSettings, EtcdVersion, RemarkKind};
///
/// let text = "client-transport-security:\n  cert-file: /etc/etcd/server.pem\n  client-cert-auht: true\n";
/// let settings = EtcdSettings::from_yaml("etcd.conf.yaml", text, EtcdVersion(3, 6, 0));
/// assert_eq!(settings.find("cert-file"), Some("/etc/etcd/server.pem"));
/// assert!(settings.is_absent("client-cert-auth"));
/// // etcd ignores the mistyped key, so everybody can connect.
/// assert_eq!(settings.remarks()[0].kind, RemarkKind::IgnoredKey);
/// ```
#[derive(Clone, Debug, Default)]
pub struct EtcdSettings {
    file: Option<String>,
    /// The path of the configuration file that the unit names.
    config_path: Option<String>,
    account: Option<UnitAccount>,
    /// The options that are set; `None` if the value is unknown.
    values: BTreeMap<&'static str, Option<Arc<str>>>,
    remarks: Vec<Remark>,
    extent: Extent,
}

/// Whether more options may be set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Extent {
    /// Something that can set any option could not be read.
    Partial,
    #[default]
    Whole,
}

/// A remark about the files that configure an etcd.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Remark {
    /// The consequence.
    pub kind: RemarkKind,
    /// The name of the file.
    pub file: String,
    /// The description.
    pub text: String,
}

/// The consequence of a remark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RemarkKind {
    /// An option is set in two places, or in a place that this etcd ignores.
    Clash,
    /// etcd ignores it, and it is probably irrelevant.
    Foreign,
    /// etcd ignores a key that affects who can connect, or a mistyped key.
    IgnoredKey,
    /// etcd ignores a variable that affects who can connect, or a mistyped variable.
    IgnoredVariable,
    /// etcd, or systemd, does not start with it.
    Malformed,
    /// Its value depends on something unknown.
    Unreadable,
    /// It is in a file that is not available.
    Unseen,
}

/// A file that a unit or a flag names by its path.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a file exists, does not exist, or is not available")]
pub enum FileLookup<'a> {
    /// Its text.
    Found(&'a str),
    /// The folder is available, but the file does not exist in it.
    Missing,
    /// It is in a folder that is not available.
    Unseen,
}

impl EtcdSettings {
    /// Options from another source.
    pub(crate) fn from_options(
        options: impl IntoIterator<Item = (&'static str, Arc<str>)>,
    ) -> Self {
        let values = options.into_iter().map(|(name, value)| (name, Some(value))).collect();
        Self { values, ..Self::default() }
    }

    /// The file that configures etcd; `None` if a manifest does.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The user and the groups that etcd runs as, if a unit says so.
    pub const fn account(&self) -> Option<&UnitAccount> {
        self.account.as_ref()
    }

    /// The paths of the files that etcd opens when it starts or at a handshake, without duplicates.
    pub fn files(&self) -> Vec<&str> {
        let options = FILES.iter().filter_map(|option| self.find(option));
        let mut files: Vec<&str> = self.config_path.as_deref().into_iter().chain(options).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Remarks about the files.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The value of an option, if it is set and known.
    pub fn find(&self, option: &str) -> Option<&str> {
        let value = self.values.get(option).and_then(Option::as_deref);
        value.filter(|value| !value.is_empty())
    }

    /// Whether it is certain that an option is not set.
    pub fn is_absent(&self, option: &str) -> bool {
        match self.values.get(option) {
            Some(value) => value.as_ref().is_some_and(|value| value.is_empty()),
            None => self.extent == Extent::Whole,
        }
    }

    /// True if a boolean option is true.
    pub(crate) fn is_on(&self, option: &str) -> bool {
        self.find(option) == Some("true")
    }

    /// True unless a boolean option with the default true is false.
    pub(crate) fn is_not_off(&self, option: &str) -> bool {
        self.find(option) != Some("false")
    }

    /// The elements of a comma-separated value.
    pub(crate) fn list(&self, option: &str) -> Vec<&str> {
        let value = self.find(option).unwrap_or_default();
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    pub(crate) fn urls(&self, option: &str) -> Vec<Url<'_>> {
        self.list(option).into_iter().map(Url::read).collect()
    }

    /// Whether clients must present a certificate. A trusted CA is enough to make etcd request one.
    pub(crate) fn asks_clients(&self) -> bool {
        self.is_on("client-cert-auth") || self.find("trusted-ca-file").is_some()
    }

    /// Whether etcd's gateway connects to its own client port with the server certificate.
    pub fn uses_gateway(&self) -> bool {
        self.is_not_off("enable-grpc-gateway")
            && self.find("client-cert-file").is_none()
            && self.asks_clients()
    }

    fn remark(&mut self, kind: RemarkKind, file: &str, text: impl Into<String>) {
        self.remarks.push(Remark { kind, file: file.to_owned(), text: text.into() });
    }
}
