//! The options of one etcd, wherever they are written.

mod elsewhere;
mod sources;

use std::collections::BTreeMap;

use super::url::Url;

/// How one etcd is configured: its options by the long names of their flags.
#[derive(Clone, Debug, Default)]
pub struct EtcdSettings {
    file: Option<String>,
    /// What is set; none where the value is not known.
    values: BTreeMap<&'static str, Option<String>>,
    remarks: Vec<Remark>,
    extent: Extent,
}

/// Whether more options may be set than are known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Extent {
    /// Something that can set any option could not be read.
    Partial,
    #[default]
    Whole,
}

/// Something odd in the files that configure an etcd.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Remark {
    /// What follows from it.
    pub kind: RemarkKind,
    /// The name of the file.
    pub file: String,
    /// What it is.
    pub text: String,
}

/// What follows from something odd.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RemarkKind {
    /// An option is set in two places, or where this etcd does not look.
    Clash,
    /// etcd ignores it, and it looks like nothing that matters.
    Foreign,
    /// etcd ignores a key that was to decide who gets in, or that is mistyped.
    IgnoredKey,
    /// etcd ignores a variable that was to decide who gets in, or that is mistyped.
    IgnoredVariable,
    /// etcd, or systemd, does not start with it.
    Malformed,
    /// Its value depends on something that is not at hand.
    Unreadable,
    /// It is in a file that was not given.
    Unseen,
}

/// A file that a unit or a flag names by its path.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a file is there, is not there, or cannot be seen")]
pub enum FileLookup<'a> {
    /// Its text.
    Found(&'a str),
    /// The folder is at hand, and the file is not in it.
    Missing,
    /// It is in a folder that is not at hand.
    Unseen,
}

impl EtcdSettings {
    /// Options that are known from elsewhere.
    pub(crate) fn from_options(options: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let values = options.into_iter().map(|(name, value)| (name, Some(value))).collect();
        Self { values, ..Self::default() }
    }

    /// The file that configures etcd; none where a manifest does.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// What is odd in the files.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The value of an option, where it is set to something that is known.
    pub fn find(&self, option: &str) -> Option<&str> {
        let value = self.values.get(option).and_then(Option::as_deref);
        value.filter(|value| !value.is_empty())
    }

    /// Whether it is certain that an option is not set.
    pub fn is_absent(&self, option: &str) -> bool {
        match self.values.get(option) {
            Some(value) => value.as_ref().is_some_and(String::is_empty),
            None => self.extent == Extent::Whole,
        }
    }

    /// True for a switch that is on.
    pub(crate) fn is_on(&self, option: &str) -> bool {
        self.find(option) == Some("true")
    }

    /// True unless a switch is off that is on by itself.
    pub(crate) fn is_not_off(&self, option: &str) -> bool {
        self.find(option) != Some("false")
    }

    /// The parts of a value that is a list with commas.
    pub(crate) fn list(&self, option: &str) -> Vec<&str> {
        let value = self.find(option).unwrap_or_default();
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    pub(crate) fn urls(&self, option: &str) -> Vec<Url<'_>> {
        self.list(option).into_iter().map(Url::read).collect()
    }

    /// Whether clients have to show a certificate (a trusted CA is enough: it makes etcd ask).
    pub(crate) fn asks_clients(&self) -> bool {
        self.is_on("client-cert-auth") || self.find("trusted-ca-file").is_some()
    }

    fn remark(&mut self, kind: RemarkKind, file: &str, text: impl Into<String>) {
        self.remarks.push(Remark { kind, file: file.to_owned(), text: text.into() });
    }
}
