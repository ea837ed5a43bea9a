//! Flags in the syntax of Go's `flag` package, which cfssl uses.

use std::collections::BTreeMap;

use pki_core::quote;

/// Flags that take a value. cfssl has one table for all of its commands: each accepts every flag.
const WITH_VALUE: &[&str] = &[
    "address",
    "aki",
    "authkey",
    "ca",
    "ca-bundle",
    "ca-key",
    "cert",
    "cn",
    "config",
    "crl",
    "csr",
    "csv",
    "db-config",
    "disable",
    "domain",
    "expiry",
    "family",
    "flavor",
    "hostname",
    "int-bundle",
    "int-dir",
    "intermediates",
    "interval",
    "ip",
    "key",
    "label",
    "loglevel",
    "max-hosts",
    "metadata",
    "min-tls-version",
    "mutual-tls-ca",
    "mutual-tls-client-cert",
    "mutual-tls-client-key",
    "mutual-tls-cn",
    "num-workers",
    "password",
    "path",
    "pgp-name",
    "pgp-private",
    "port",
    "profile",
    "reason",
    "remote",
    "responder",
    "responder-key",
    "responses",
    "revoked-at",
    "scanner",
    "serial",
    "status",
    "timeout",
    "tls-cert",
    "tls-key",
    "tls-remote-ca",
    "usage",
];

/// Flags that are on or off.
const SWITCHES: &[&str] = &["initca", "list", "renewca"];

/// A command's flags and the arguments after them.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Flags {
    values: BTreeMap<&'static str, String>,
    switches: BTreeMap<&'static str, bool>,
    /// What follows the first argument that is not a flag is never a flag.
    pub(super) arguments: Vec<String>,
}

/// Which flags a program knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) with_value: &'static [&'static str],
    pub(super) switches: &'static [&'static str],
}

impl Table {
    /// The flags of `cfssl COMMAND`.
    pub(super) const CFSSL: Self = Self { with_value: WITH_VALUE, switches: SWITCHES };
    /// The flags of `cfssljson`.
    pub(super) const CFSSLJSON: Self =
        Self { with_value: &["f"], switches: &["bare", "stdout", "version"] };
    /// The flags of `cfssl-certinfo`.
    pub(super) const CERTINFO: Self =
        Self { with_value: &["cert", "csr", "domain"], switches: &["version"] };
}

/// Why the flags cannot be read.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum FlagError {
    /// `-h`, `-help`
    HelpRequested,
    /// With the error message of Go.
    Invalid(String),
}

impl Flags {
    /// Reads flags up to the first argument that is not one, or up to `--`.
    pub(super) fn parse(arguments: &[String], table: Table) -> Result<Self, FlagError> {
        let mut flags = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let Some(text) = argument.strip_prefix('-').filter(|text| !text.is_empty()) else {
                flags.arguments.push(argument.clone());
                break;
            };
            if text == "-" {
                break;
            }
            let text = text.strip_prefix('-').unwrap_or(text);
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (text, None),
            };
            if name.is_empty() || name.starts_with('-') {
                return Err(FlagError::Invalid(format!(
                    "bad flag syntax: {}",
                    quote::name(argument)
                )));
            }
            if let Some(name) = find(table.switches, name) {
                let on = value.map_or(Some(true), parse_bool).ok_or_else(|| {
                    let value = value.unwrap_or_default();
                    FlagError::Invalid(format!(
                        "invalid boolean value {} for -{name}: parse error",
                        quote::value(value)
                    ))
                })?;
                flags.switches.insert(name, on);
            } else if let Some(name) = find(table.with_value, name) {
                let value = value.map(ToOwned::to_owned).or_else(|| rest.next().cloned());
                let value = value.ok_or_else(|| {
                    FlagError::Invalid(format!("flag needs an argument: -{name}"))
                })?;
                flags.values.insert(name, value);
            } else if matches!(name, "h" | "help") {
                return Err(FlagError::HelpRequested);
            } else {
                let name = quote::name(name);
                return Err(FlagError::Invalid(format!("flag provided but not defined: -{name}")));
            }
        }
        flags.arguments.extend(rest.cloned());
        Ok(flags)
    }

    /// The value of a flag; an empty one counts as absent, as in cfssl.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.switches.get(name).copied().unwrap_or_default()
    }

    /// The flags given that are not among `known`: cfssl reads them and ignores them.
    pub(super) fn without_effect<'a>(
        &'a self,
        known: &'a [&str],
    ) -> impl Iterator<Item = &'static str> + 'a {
        let given = self.values.keys().chain(self.switches.keys()).copied();
        given.filter(|name| *name != "loglevel" && !known.contains(name))
    }
}

fn find(table: &[&'static str], name: &str) -> Option<&'static str> {
    table.iter().find(|known| **known == name).copied()
}

/// What Go's strconv.ParseBool takes.
fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{FlagError, Flags, Table};

    fn parse(line: &str) -> Result<Flags, FlagError> {
        let arguments: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        Flags::parse(&arguments, Table::CFSSL)
    }

    #[test]
    fn one_and_two_hyphens_and_both_forms_of_a_value_are_the_same_flag() {
        for line in
            ["-ca x.pem j", "--ca x.pem j", "-ca=x.pem j", "--ca=x.pem j", "-ca y -ca x.pem j"]
        {
            let flags = parse(line).unwrap();
            assert_eq!(flags.value("ca"), Some("x.pem"), "{line}");
            assert_eq!(flags.arguments, ["j"], "{line}");
        }
    }

    #[test]
    fn a_switch_takes_a_value_behind_an_equals_sign_only() {
        assert!(parse("-initca ca.json").unwrap().is_on("initca"));
        assert!(parse("-initca=true ca.json").unwrap().is_on("initca"));
        let off = parse("-initca=false ca.json").unwrap();
        assert!(!off.is_on("initca"));
        assert_eq!(parse("-initca true ca.json").unwrap().arguments, ["true", "ca.json"]);
        assert!(matches!(parse("-initca=maybe x"), Err(FlagError::Invalid(_))));
    }

    #[test]
    fn nothing_behind_the_first_argument_is_a_flag() {
        let flags = parse("-ca x csr.json -ca-key y").unwrap();
        assert_eq!(flags.value("ca-key"), None);
        assert_eq!(flags.arguments, ["csr.json", "-ca-key", "y"]);
        assert_eq!(parse("-ca x -").unwrap().arguments, ["-"]);
        assert_eq!(parse("-ca x -- -config").unwrap().arguments, ["-config"]);
    }

    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        let said = |line| match parse(line) {
            Err(FlagError::Invalid(text)) => text,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(said("-nosuch x"), "flag provided but not defined: -nosuch");
        assert_eq!(said("-ca"), "flag needs an argument: -ca");
        assert_eq!(said("---ca x"), "bad flag syntax: ---ca");
        assert_eq!(said("-=x"), "bad flag syntax: -=x");
        assert_eq!(parse("-help"), Err(FlagError::HelpRequested));
    }
}
