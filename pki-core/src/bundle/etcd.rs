//! etcd's configuration file and its unit.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::duration::parse_duration;
use crate::etcd::{EtcdOption, OptionKind, YamlKey};
use crate::layout::{FileKind, Owner};
use crate::manifest::Manifest;

/// The configuration of one member.
pub(super) struct MemberConfig<'a> {
    manifest: &'a Manifest,
    options: Vec<(&'static EtcdOption, Arc<str>)>,
}

impl<'a> MemberConfig<'a> {
    /// The configuration with these options, by their long names.
    pub(super) fn new(manifest: &'a Manifest, settings: Vec<(&'static str, Arc<str>)>) -> Self {
        let options = settings.into_iter();
        let options =
            options.filter_map(|(name, value)| Some((EtcdOption::find(name)?, value))).collect();
        Self { manifest, options }
    }

    /// etcd's configuration file.
    pub(super) fn yaml(&self, member: &str) -> String {
        let mut text = format!(
            "# etcd's configuration for {member}, by etcdpki from the manifest of the cluster {}.\n",
            self.manifest.cluster
        );
        let (mut client, mut peer) = (String::new(), String::new());
        for (option, value) in &self.options {
            if !self.is_in_file(option) {
                let _ = writeln!(
                    text,
                    "# Not complete: this etcd does not read {} from this file, and with this file it ignores\n\
                     # flags and environment. {} sets everything in the environment instead.",
                    option.name,
                    FileKind::EtcdUnit.name()
                );
                continue;
            }
            let value = yaml_value(option, value);
            match option.yaml {
                YamlKey::Client(key) => {
                    let _ = writeln!(client, "  {key}: {value}");
                }
                YamlKey::Peer(key) => {
                    if option.name == ALLOWED_HOSTNAME {
                        for line in PEER_PORT {
                            let _ = writeln!(peer, "  # {line}");
                        }
                    }
                    let _ = writeln!(peer, "  {key}: {value}");
                }
                _ => {
                    let _ = writeln!(text, "{}: {value}", option.name);
                }
            }
        }
        format!("{text}client-transport-security:\n{client}peer-transport-security:\n{peer}")
    }

    /// The unit that starts etcd: with the configuration file, or if the file cannot set every option, with all options in
    /// the environment. With a file, etcd ignores the environment.
    pub(super) fn unit(&self, member: &str) -> String {
        let start = if self.options.iter().all(|(option, _)| self.is_in_file(option)) {
            let folder = &self.manifest.paths.etcd;
            format!(
                "ExecStart=/usr/bin/etcd --config-file={folder}/{}\n",
                FileKind::EtcdConfig.name()
            )
        } else {
            let mut lines = String::new();
            for (option, value) in &self.options {
                if option.name == ALLOWED_HOSTNAME {
                    for line in PEER_PORT {
                        let _ = writeln!(lines, "# {line}");
                    }
                }
                let assignment = format!("{}={value}", option.variable());
                let _ = writeln!(lines, "Environment={}", systemd_word(&assignment));
            }
            format!("{lines}ExecStart=/usr/bin/etcd\n")
        };
        format!(
            "# etcd's unit for {member}, by etcdpki from the manifest of the cluster {}.\n\
             [Unit]\n\
             Description=etcd\n\
             Documentation=https://etcd.io/docs/\n\
             # With a wrong clock, certificates are not valid yet. systemd.special(7): order after time-sync.target, and\n\
             # let the service that sets the clock pull it in.\n\
             After=network-online.target time-sync.target\n\
             Wants=network-online.target\n\
             \n\
             [Service]\n\
             # A member is ready only when a quorum of members runs. The first start waits for the others.\n\
             Type=notify\n\
             TimeoutStartSec=infinity\n\
             User={}\n\
             {}\
             {start}\
             Restart=always\n\
             RestartSec=5\n\
             LimitNOFILE=65536\n\
             \n\
             [Install]\n\
             WantedBy=multi-user.target\n",
            self.manifest.cluster,
            Owner::Etcd.user(),
            state_directory(&self.manifest.paths.data)
                .map(|name| format!("StateDirectory={name}\nStateDirectoryMode=0700\n"))
                .unwrap_or_default()
        )
    }

    /// True if the configuration file can set an option.
    fn is_in_file(&self, option: &EtcdOption) -> bool {
        let version = self.manifest.etcd_version;
        let as_a_list = option.name != ALLOWED_HOSTNAME || version.has_allowed_hostname_in_yaml();
        option.is_yaml_in(version) && as_a_list
    }
}

/// The name by which systemd creates the data folder and gives it to the user of the unit. Only for folders below
/// `/var/lib` (systemd.exec(5), StateDirectory=).
pub(super) fn state_directory(data: &str) -> Option<&str> {
    let name = data.strip_prefix("/var/lib/")?;
    let is_plain = |part: &str| !["", ".", ".."].contains(&part);
    name.split('/').all(is_plain).then_some(name)
}

/// A value in etcd's configuration file. Text is quoted, because the name of a host can be `null`.
fn yaml_value(option: &EtcdOption, value: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match option.kind {
        OptionKind::Number | OptionKind::Switch => value.to_owned(),
        OptionKind::List => {
            let items: Vec<String> = value.split(',').map(|item| quoted(item.trim())).collect();
            format!("[{}]", items.join(", "))
        }
        // Go reads a duration in a file as a number of nanoseconds.
        OptionKind::Duration => match parse_duration(value) {
            Ok(duration) => duration.whole_nanoseconds().to_string(),
            Err(_) => quoted(value),
        },
        OptionKind::Text | OptionKind::Urls => quoted(value),
    }
}

/// A word for systemd: in quotes if necessary, with `%` doubled (systemd.syntax(7),
/// systemd.unit(5)).
fn systemd_word(word: &str) -> Cow<'_, str> {
    if !word.contains(['%', '"', '\'', '\\', ' ', '\t']) {
        return word.into();
    }
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("\"{escaped}\"").into()
}

const ALLOWED_HOSTNAME: &str = "peer-cert-allowed-hostname";

const PEER_PORT: [&str; 2] = [
    "The peer port is shut to client certificates twice: they carry a name under .invalid, which never",
    "resolves to the caller's address, and only certificates that carry this name are let in.",
];
