//! How a member is configured, by the long names of etcd's options, wherever that is written.

use std::collections::BTreeMap;

use crate::bundle::{self, ETCD_CONF, ETCD_SERVICE};
use crate::document::{Document, Value};
use crate::manifest::{EtcdVersion, Host, Manifest};
use crate::suggest;

/// The options of one member.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The file that says so; none where the manifest does.
    pub(crate) file: Option<&'static str>,
    values: BTreeMap<String, String>,
    /// Why the file cannot be read.
    pub(crate) malformed: Option<String>,
    /// Keys of the file that etcd passes over.
    pub(crate) unknown: Vec<String>,
    /// True where more is said in a file that is not at hand, as EnvironmentFile= has it.
    pub(crate) is_partial: bool,
    /// Options that are given twice or in a place that etcd does not look at.
    pub(crate) clashes: Vec<String>,
}

/// `scheme://host:port`
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Url<'a> {
    pub(crate) text: &'a str,
    pub(crate) scheme: &'a str,
    /// Without brackets.
    pub(crate) host: &'a str,
}

impl<'a> Url<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.split(':').next().unwrap_or(authority),
        };
        Self { text, scheme, host }
    }

    /// True for the host's own loopback.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// True for every address of the host.
    pub(crate) fn is_unspecified(&self) -> bool {
        self.host.is_empty()
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified())
    }
}

impl Settings {
    /// What the files of a member's folder say, given each by its name; the manifest where they say
    /// nothing.
    pub(super) fn read<'f>(
        manifest: &Manifest,
        member: &Host,
        file: impl Fn(&str) -> Option<&'f str>,
    ) -> Self {
        match (file(ETCD_SERVICE), file(ETCD_CONF)) {
            (Some(unit), yaml) => Self::from_unit(unit, yaml, manifest.etcd_version),
            (None, Some(yaml)) => Self::from_yaml(yaml, manifest.etcd_version),
            (None, None) => {
                let settings = bundle::settings(manifest, member).into_iter();
                let values = settings.map(|(name, value)| (name.to_owned(), value)).collect();
                Self { values, ..Self::default() }
            }
        }
    }

    pub(crate) fn find(&self, option: &str) -> Option<&str> {
        self.values.get(option).map(String::as_str).filter(|value| !value.is_empty())
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

    fn from_unit(unit: &str, yaml: Option<&str>, version: EtcdVersion) -> Self {
        let unit = unit.replace("\\\n", " ");
        let (mut flags, mut environment) = (BTreeMap::new(), BTreeMap::new());
        for line in unit.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("Environment=") {
                for word in rest.split_whitespace().map(|word| word.trim_matches(['"', '\''])) {
                    let option = word.split_once('=').and_then(|(variable, value)| {
                        Some((variable.strip_prefix("ETCD_")?, value))
                    });
                    if let Some((variable, value)) = option {
                        let name = variable.to_lowercase().replace('_', "-");
                        environment.insert(name, value.to_owned());
                    }
                }
            } else if let Some(rest) = line.strip_prefix("ExecStart=") {
                flags.extend(read_flags(rest));
            }
        }
        let is_partial = unit.lines().any(|line| line.trim().starts_with("EnvironmentFile="));
        if flags.contains_key("config-file") {
            // With a configuration file etcd takes nothing from anywhere else.
            let mut settings = yaml.map(|yaml| Self::from_yaml(yaml, version)).unwrap_or_default();
            let flags = flags.keys().filter(|name| *name != "config-file");
            settings.clashes = environment
                .keys()
                .map(|name| format!("{} in the environment", variable(name)))
                .chain(flags.map(|name| format!("--{name}")))
                .map(|what| format!("{what} is passed over, for --config-file is given"))
                .collect();
            return settings;
        }
        let mut settings = Self { file: Some(ETCD_SERVICE), is_partial, ..Self::default() };
        let both = flags.keys().filter(|name| environment.contains_key(*name));
        settings.clashes =
            both.map(|name| format!("--{name} is given beside {}", variable(name))).collect();
        settings.values = environment.into_iter().chain(flags).collect();
        settings
    }

    fn from_yaml(text: &str, version: EtcdVersion) -> Self {
        let mut settings = Self { file: Some(ETCD_CONF), ..Self::default() };
        let document = match Document::from_yaml(text.as_bytes()) {
            Ok(document) => document,
            Err(error) => {
                settings.malformed = Some(error.to_string());
                return settings;
            }
        };
        let members = match document.root().members() {
            Ok(members) => members,
            Err(error) => {
                settings.malformed = Some(error.to_string());
                return settings;
            }
        };
        for (key, value) in members {
            match SECTIONS.iter().find(|(section, _)| *section == key) {
                Some((section, known)) => settings.add_section(section, known, &value, version),
                None if ELSEWHERE.contains(&key) || is_almost_a_section(key) => {
                    settings.unknown.push(key.to_owned());
                }
                None => {
                    settings.values.insert(key.to_owned(), text_of(&value));
                }
            }
        }
        settings
    }

    fn add_section(
        &mut self,
        section: &str,
        known: &[(&str, &str)],
        value: &Value<'_>,
        version: EtcdVersion,
    ) {
        let Ok(members) = value.members() else {
            self.malformed = Some(format!("{section} is no map"));
            return;
        };
        for (key, value) in members {
            // The lists of who is allowed came to the file in 3.5.14 (etcd-io/etcd#18063).
            let came = !key.starts_with("allowed-") || version >= EtcdVersion(3, 5, 14);
            match known.iter().find(|(name, _)| *name == key && came) {
                Some((_, option)) => {
                    self.values.insert((*option).to_owned(), text_of(&value));
                }
                None => self.unknown.push(format!("{section}.{key}")),
            }
        }
    }
}

/// `--name=value`, `--name value`, `--switch`, with one dash or two, as Go's flag package has it.
fn read_flags(line: &str) -> BTreeMap<String, String> {
    let mut flags = BTreeMap::new();
    let mut words = line.split_whitespace().map(|word| word.trim_matches(['"', '\''])).peekable();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, value.trim_matches(['"', '\''])),
            None => match words.next_if(|next| !next.starts_with('-')) {
                Some(value) => (flag, value),
                None => (flag, "true"),
            },
        };
        flags.insert(name.to_owned(), value.to_owned());
    }
    flags
}

/// True for a mistyped name of a section, which would switch off all that stands in it.
fn is_almost_a_section(key: &str) -> bool {
    suggest::nearest(key, SECTIONS.map(|(section, _)| section)).is_some()
}

fn variable(option: &str) -> String {
    format!("ETCD_{}", option.to_uppercase().replace('-', "_"))
}

/// A scalar as it stands, a list with commas.
fn text_of(value: &Value<'_>) -> String {
    match value.list() {
        Ok(items) => items.iter().map(Value::scalar).collect::<Vec<_>>().join(","),
        Err(_) => value.scalar(),
    }
}

/// The maps of etcd's configuration file: their keys, and the options that these are.
const SECTIONS: [(&str, &[(&str, &str)]); 2] = [
    (
        "client-transport-security",
        &[
            ("cert-file", "cert-file"),
            ("key-file", "key-file"),
            ("client-cert-file", "client-cert-file"),
            ("client-key-file", "client-key-file"),
            ("client-cert-auth", "client-cert-auth"),
            ("trusted-ca-file", "trusted-ca-file"),
            ("auto-tls", "auto-tls"),
            ("allowed-hostname", "client-cert-allowed-hostname"),
            ("allowed-cn", "client-cert-allowed-cn"),
            ("skip-client-san-verification", "skip-client-san-verification"),
        ],
    ),
    (
        "peer-transport-security",
        &[
            ("cert-file", "peer-cert-file"),
            ("key-file", "peer-key-file"),
            ("client-cert-file", "peer-client-cert-file"),
            ("client-key-file", "peer-client-key-file"),
            ("client-cert-auth", "peer-client-cert-auth"),
            ("trusted-ca-file", "peer-trusted-ca-file"),
            ("auto-tls", "peer-auto-tls"),
            ("allowed-cn", "peer-cert-allowed-cn"),
            ("allowed-hostname", "peer-cert-allowed-hostname"),
            ("skip-client-san-verification", "peer-skip-client-san-verification"),
        ],
    ),
];

/// Flags that are no keys at the top of the configuration file: they stand in a map, or nowhere.
const ELSEWHERE: [&str; 20] = [
    "cert-file",
    "key-file",
    "client-cert-file",
    "client-key-file",
    "client-cert-auth",
    "trusted-ca-file",
    "auto-tls",
    "client-crl-file",
    "client-cert-allowed-hostname",
    "peer-cert-file",
    "peer-key-file",
    "peer-client-cert-file",
    "peer-client-key-file",
    "peer-client-cert-auth",
    "peer-trusted-ca-file",
    "peer-auto-tls",
    "peer-crl-file",
    "peer-cert-allowed-cn",
    "peer-cert-allowed-hostname",
    "peer-skip-client-san-verification",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_as_etcd_does() {
        for (text, scheme, host) in [
            ("https://192.0.2.1:2379", "https", "192.0.2.1"),
            (" https://[2001:db8::1]:2379/", "https", "2001:db8::1"),
            ("http://etcdone", "http", "etcdone"),
            ("https://:2379", "https", ""),
            ("etcdone:2379", "", "etcdone"),
            ("", "", ""),
        ] {
            let url = Url::read(text);
            assert_eq!((url.scheme, url.host), (scheme, host), "{text}");
        }
        assert!(Url::read("https://[::1]:2379").is_loopback());
        assert!(Url::read("https://localhost:2379").is_loopback());
        assert!(Url::read("https://0.0.0.0:2379").is_unspecified());
    }

    #[test]
    fn a_unit_is_read_as_systemd_and_go_do() {
        let unit = "[Service]\n\
            Environment=\"ETCD_NAME=etcdone\" ETCD_CERT_FILE=/a.pem OTHER=x\n\
            EnvironmentFile=-/etc/default/etcd\n\
            ExecStart=/usr/bin/etcd --key-file=/b.pem -client-cert-auth \\\n  --data-dir /var/lib/etcd\n";
        let settings = Settings::from_unit(unit, None, EtcdVersion(3, 6, 0));
        for (option, wanted) in [
            ("name", "etcdone"),
            ("cert-file", "/a.pem"),
            ("key-file", "/b.pem"),
            ("client-cert-auth", "true"),
            ("data-dir", "/var/lib/etcd"),
        ] {
            assert_eq!(settings.find(option), Some(wanted), "{option}");
        }
        assert!(settings.is_partial && settings.clashes.is_empty());
        assert_eq!(settings.file, Some(ETCD_SERVICE));
    }

    #[test]
    fn the_keys_of_the_file_are_the_options_of_the_command_line() {
        let yaml = "name: etcdone\n\
            cipher-suites: [A, B]\n\
            peer-transport-security: { cert-file: /p.pem, allowed-hostname: [a.lab, b.lab] }\n";
        let settings = Settings::from_yaml(yaml, EtcdVersion(3, 6, 0));
        assert_eq!(settings.find("peer-cert-file"), Some("/p.pem"));
        assert_eq!(settings.list("peer-cert-allowed-hostname"), ["a.lab", "b.lab"]);
        assert_eq!(settings.list("cipher-suites"), ["A", "B"]);
        assert_eq!(settings.unknown, [""; 0]);
        let old = Settings::from_yaml(yaml, EtcdVersion(3, 5, 1));
        assert_eq!(old.unknown, ["peer-transport-security.allowed-hostname"]);
    }
}
