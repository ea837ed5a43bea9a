//! The configuration of etcd's clients: kubeadm's external etcd, and the environment of etcdctl.

use crate::document::{Document, Value};
use crate::etcd::EnvironmentFile;
use crate::suggest;

/// The endpoints of a client, its trusted CA, and its certificate.
#[derive(Debug)]
pub(crate) struct ClientConfig {
    /// The program, which determines the names of the settings.
    pub(crate) program: Program,
    /// Those that are known; `None` if nothing sets any.
    endpoints: Option<Vec<String>>,
    pub(crate) ca: Setting,
    pub(crate) certificate: Setting,
    pub(crate) key: Setting,
    /// Names that the program does not read, with the correct names.
    pub(crate) unread: Vec<(String, Option<&'static str>)>,
}

/// The program that a configuration is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    Etcdctl,
    Kubeadm,
}

/// A path in a client's configuration.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Setting {
    Absent,
    Path(String),
    /// It depends on a shell variable.
    Unknown,
}

impl Setting {
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path),
            Self::Absent | Self::Unknown => None,
        }
    }
}

impl ClientConfig {
    /// The settings with paths, with their names in the program.
    pub(crate) const fn files(&self) -> [(&'static str, &Setting); 3] {
        let [ca, certificate, key] = match self.program {
            Program::Etcdctl => ["ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY"],
            Program::Kubeadm => {
                ["etcd.external.caFile", "etcd.external.certFile", "etcd.external.keyFile"]
            }
        };
        [(ca, &self.ca), (certificate, &self.certificate), (key, &self.key)]
    }

    fn new(program: Program) -> Self {
        Self {
            program,
            endpoints: None,
            ca: Setting::Absent,
            certificate: Setting::Absent,
            key: Setting::Absent,
            unread: Vec::new(),
        }
    }

    /// The setting with the endpoints.
    pub(crate) const fn endpoints_setting(&self) -> &'static str {
        match self.program {
            Program::Etcdctl => "ETCDCTL_ENDPOINTS",
            Program::Kubeadm => "etcd.external.endpoints",
        }
    }

    /// The endpoints whose hosts are known.
    pub(crate) fn endpoints(&self) -> &[String] {
        self.endpoints.as_deref().unwrap_or_default()
    }

    /// Whether the program uses its default instead of endpoints.
    pub(crate) const fn has_no_endpoints(&self) -> bool {
        self.endpoints.is_none()
    }

    /// `etcd.external` of a ClusterConfiguration. kubeadm's file can contain several documents. `None` if the file has no
    /// ClusterConfiguration, as on a host that joins.
    pub(super) fn from_kubeadm(text: &str) -> Option<Self> {
        let mut found = None;
        let is_content = |line: &str| !matches!(line.trim().chars().next(), None | Some('#' | '-'));
        for document in text.split("\n---").filter(|text| text.lines().any(is_content)) {
            let document = Document::from_yaml(document.trim_start_matches('-').as_bytes());
            let Ok(document) = document else {
                // kubeadm cannot read it either.
                found.get_or_insert(Self::new(Program::Kubeadm));
                continue;
            };
            let root = document.root();
            let kind = member(&root, "kind").map(|kind| kind.scalar());
            let etcd = member(&root, "etcd");
            match (kind.as_deref(), etcd.and_then(|etcd| member(&etcd, "external"))) {
                (Some("ClusterConfiguration") | None, Some(external)) => {
                    found = Some(Self::external(&external));
                }
                (Some("ClusterConfiguration"), None) => {
                    found.get_or_insert(Self::new(Program::Kubeadm));
                }
                _ => {}
            }
        }
        found
    }

    fn external(external: &Value<'_>) -> Self {
        let string = |name| match member(external, name).map(|value| value.scalar()) {
            Some(path) if !path.is_empty() => Setting::Path(path),
            _ => Setting::Absent,
        };
        let endpoints = member(external, "endpoints").and_then(|value| value.list().ok());
        let endpoints = endpoints.unwrap_or_default();
        let endpoints: Vec<String> = endpoints.iter().map(Value::scalar).collect();
        Self {
            program: Program::Kubeadm,
            endpoints: Some(endpoints).filter(|all| !all.is_empty()),
            ca: string("caFile"),
            certificate: string("certFile"),
            key: string("keyFile"),
            unread: Vec::new(),
        }
    }

    /// `ETCDCTL_…=…`, one on each line, for a shell or for systemd. `None` for the version 2 API, which has other names.
    pub(super) fn from_env(text: &str) -> Option<Self> {
        let lines = text.lines().map(|line| {
            let line = line.trim_start();
            line.strip_prefix("export ").unwrap_or(line).to_owned() + "\n"
        });
        let mut config = Self::new(Program::Etcdctl);
        for (name, value) in EnvironmentFile::read(&lines.collect::<String>()).variables {
            let path = || match value.as_str() {
                "" => Setting::Absent,
                path if path.contains('$') => Setting::Unknown,
                path => Setting::Path(path.to_owned()),
            };
            match name.as_str() {
                "ETCDCTL_API" if value == "2" => return None,
                "ETCDCTL_CACERT" => config.ca = path(),
                "ETCDCTL_CERT" => config.certificate = path(),
                "ETCDCTL_KEY" => config.key = path(),
                "ETCDCTL_ENDPOINTS" => {
                    let urls = value.split(',').map(str::trim);
                    let known = urls.filter(|url| !url.is_empty() && !url.contains('$'));
                    let known = known.map(str::to_owned).collect();
                    config.endpoints = Some(known).filter(|_| !value.trim().is_empty());
                }
                // The endpoints are in DNS.
                "ETCDCTL_DISCOVERY_SRV" if !value.is_empty() => config.endpoints = Some(Vec::new()),
                _ => config.add_unread(name),
            }
        }
        Some(config)
    }

    /// The same in the environment file of a member, if it has settings of etcdctl.
    pub(super) fn from_member_env(text: &str) -> Option<Self> {
        let read = EnvironmentFile::read(text);
        let has_some = read.variables.iter().any(|(name, _)| name.starts_with("ETCDCTL_"));
        has_some.then(|| Self::from_env(text)).flatten()
    }

    fn add_unread(&mut self, name: String) {
        let v2 = V2_NAMES.iter().find(|(old, _)| *old == name);
        if let Some((_, new)) = v2 {
            self.unread.push((name, Some(new)));
        } else if name.starts_with("ETCDCTL_") && !OTHER_NAMES.contains(&name.as_str()) {
            let near = suggest::nearest(&name, OTHER_NAMES.into_iter().chain(PATH_NAMES));
            self.unread.push((name, near));
        }
    }
}

/// The variables of the version 2 API of etcdctl, and their new names.
const V2_NAMES: [(&str, &str); 5] = [
    ("ETCDCTL_CA_FILE", "ETCDCTL_CACERT"),
    ("ETCDCTL_CERT_FILE", "ETCDCTL_CERT"),
    ("ETCDCTL_ENDPOINT", "ETCDCTL_ENDPOINTS"),
    ("ETCDCTL_KEY_FILE", "ETCDCTL_KEY"),
    ("ETCDCTL_PEERS", "ETCDCTL_ENDPOINTS"),
];

/// The variables that are read here.
const PATH_NAMES: [&str; 4] =
    ["ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_ENDPOINTS", "ETCDCTL_KEY"];

/// The other variables of etcdctl: each global flag has one.
const OTHER_NAMES: [&str; 16] = [
    "ETCDCTL_API",
    "ETCDCTL_COMMAND_TIMEOUT",
    "ETCDCTL_DEBUG",
    "ETCDCTL_DIAL_TIMEOUT",
    "ETCDCTL_DISCOVERY_SRV",
    "ETCDCTL_DISCOVERY_SRV_NAME",
    "ETCDCTL_HEX",
    "ETCDCTL_INSECURE_DISCOVERY",
    "ETCDCTL_INSECURE_SKIP_TLS_VERIFY",
    "ETCDCTL_INSECURE_TRANSPORT",
    "ETCDCTL_KEEPALIVE_TIME",
    "ETCDCTL_KEEPALIVE_TIMEOUT",
    "ETCDCTL_PASSWORD",
    "ETCDCTL_USER",
    "ETCDCTL_WATCH_KEY",
    "ETCDCTL_WRITE_OUT",
];

fn member<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let members = value.members().ok()?.into_iter();
    members.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_of_etcdctl_is_read_as_shells_and_systemd_read_it() {
        let config = ClientConfig::from_env(
            "export ETCDCTL_API=3\nETCDCTL_ENDPOINTS='https://a:2379, https://${B}:2379'\n\
             ETCDCTL_CACERT=\"/etc/etcd/ca.pem\"\nETCDCTL_CERT=$DIR/c.pem\nETCDCTL_KEY_FILE=/k\n\
             ETCDCTL_ENDPONTS=x\nOTHER=y\n",
        )
        .unwrap();
        assert_eq!(config.endpoints(), ["https://a:2379"]);
        assert_eq!(config.ca.path(), Some("/etc/etcd/ca.pem"));
        assert_eq!((config.certificate, config.key), (Setting::Unknown, Setting::Absent));
        assert_eq!(
            config.unread,
            [
                ("ETCDCTL_KEY_FILE".to_owned(), Some("ETCDCTL_KEY")),
                ("ETCDCTL_ENDPONTS".to_owned(), Some("ETCDCTL_ENDPOINTS")),
            ]
        );
        assert!(ClientConfig::from_env("ETCDCTL_API=2\nETCDCTL_CA_FILE=/x\n").is_none());
        // The environment of a member is a client's only if it has variables of etcdctl.
        assert!(ClientConfig::from_member_env("ETCD_NAME=a\n").is_none());
        assert!(ClientConfig::from_member_env("ETCD_NAME=a\nETCDCTL_CERT=/c.pem\n").is_some());
        for (text, has_none) in [
            ("ETCDCTL_API=3\n", true),
            ("ETCDCTL_ENDPOINTS=\n", true),
            ("ETCDCTL_ENDPOINTS=$HOSTS\n", false),
            ("ETCDCTL_DISCOVERY_SRV=example.com\n", false),
        ] {
            let config = ClientConfig::from_env(text).unwrap();
            assert_eq!(config.has_no_endpoints(), has_none, "{text}");
        }
    }

    #[test]
    fn the_cluster_of_kubeadm_may_be_anywhere_in_its_file() {
        let cluster =
            "kind: ClusterConfiguration\netcd:\n  external:\n    endpoints: [https://a:2379]\n";
        let join = "kind: JoinConfiguration\n";
        for text in [
            cluster.to_owned(),
            format!("---\n{join}---\n{cluster}"),
            format!("{cluster}---\n{join}"),
        ] {
            let config = ClientConfig::from_kubeadm(&text).unwrap();
            assert_eq!(config.endpoints(), ["https://a:2379"], "{text}");
        }
        assert!(ClientConfig::from_kubeadm(join).is_none());
        assert!(ClientConfig::from_kubeadm(&format!("# by hand\n---\n{join}---\n")).is_none());
        for text in ["kind: ClusterConfiguration\netcd: { local: {} }\n", "kind: [\n"] {
            assert!(ClientConfig::from_kubeadm(text).unwrap().has_no_endpoints(), "{text}");
        }
    }
}
