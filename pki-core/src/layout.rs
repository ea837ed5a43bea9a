//! The files of a host's folder: their names, roles, modes and owners.
//!
//! All other code takes file names from here.

use std::borrow::Cow;

use crate::usage::Purpose;

/// The name that kubeadm gives to the client certificate of the API servers.
pub const APISERVER_CLIENT: &str = "apiserver-etcd-client";

/// The folder for clients without a host.
pub(crate) const ADMIN: &str = "admin";

const CERTIFICATE_SUFFIX: &str = ".pem";
const KEY_SUFFIX: &str = "-key.pem";
const COMBINED_SUFFIX: &str = "-combined.pem";
const KEY_STORE_SUFFIX: &str = ".p12";
const PASSWORD_SUFFIX: &str = ".p12.password";

/// The role of a certificate on a host, which determines its files, its profile and its purposes.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "callers match every role")]
pub enum Role {
    /// A member for its clients.
    Server,
    /// A member for the other members.
    Peer,
    /// A member for both, with one certificate.
    Member,
    /// A client of etcd, with the name of its files.
    Client(String),
}

impl Role {
    /// The name of its files, without suffix: `server`.
    pub fn base(&self) -> &str {
        match self {
            Self::Server => "server",
            Self::Peer => "peer",
            Self::Member => "member",
            Self::Client(name) => name,
        }
    }

    /// The role whose files have this name.
    pub fn from_base(base: &str) -> Self {
        let of_members = [Self::Server, Self::Peer, Self::Member].into_iter();
        let mut of_members = of_members.filter(|role| role.base() == base);
        of_members.next().unwrap_or_else(|| Self::Client(base.to_owned()))
    }

    /// The file of the certificate: `server.pem`.
    pub fn certificate_file(&self) -> String {
        format!("{}{CERTIFICATE_SUFFIX}", self.base())
    }

    /// The file of the private key: `server-key.pem`.
    pub fn key_file(&self) -> String {
        format!("{}{KEY_SUFFIX}", self.base())
    }

    /// The built-in profile that issues it.
    pub const fn profile(&self) -> &'static str {
        match self {
            Self::Server | Self::Member => "server",
            Self::Peer => "peer",
            Self::Client(_) => "client",
        }
    }

    /// All purposes of the certificate.
    pub const fn purposes(&self) -> &'static [Purpose] {
        match self {
            Self::Server => &[Purpose::Server],
            Self::Peer => &[Purpose::Peer],
            Self::Member => &[Purpose::Server, Purpose::Peer],
            Self::Client(_) => &[Purpose::Client],
        }
    }
}

/// The user who owns a file on the host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match every owner")]
pub enum Owner {
    /// The superuser, which runs the API server.
    Root,
    /// The user in etcd's unit.
    Etcd,
}

impl Owner {
    /// The name of the user.
    pub const fn user(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Etcd => "etcd",
        }
    }
}

/// The kind of a file in a host's folder.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match every file")]
pub enum FileKind {
    /// The CAs that the host trusts.
    TrustedCas,
    /// A certificate, followed by its intermediates.
    Certificate(Role),
    /// The private key of a certificate.
    Key(Role),
    /// The private key of a certificate and the certificate with its chain, in one PEM file.
    Combined(Role),
    /// The same and the trusted CAs in one PKCS #12 file.
    KeyStore(Role),
    /// The password of the PKCS #12 file.
    KeyStorePassword(Role),
    /// The CRL of the CA in DER, which every version of etcd reads.
    Crl,
    /// etcd's configuration file.
    EtcdConfig,
    /// The systemd unit that starts etcd.
    EtcdUnit,
    /// The environment of etcdctl.
    EtcdctlEnv,
    /// kubeadm's configuration for a control plane.
    KubeadmConfig,
    /// The script that puts the files of the folder in their places on the host.
    InstallScript,
}

impl FileKind {
    /// The kinds with exactly one file.
    const FIXED: [Self; 7] = [
        Self::TrustedCas,
        Self::Crl,
        Self::EtcdConfig,
        Self::EtcdUnit,
        Self::EtcdctlEnv,
        Self::KubeadmConfig,
        Self::InstallScript,
    ];

    /// Its name in the host's folder.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::TrustedCas => "ca.pem".into(),
            Self::Certificate(role) => role.certificate_file().into(),
            Self::Key(role) => role.key_file().into(),
            Self::Combined(role) => format!("{}{COMBINED_SUFFIX}", role.base()).into(),
            Self::KeyStore(role) => format!("{}{KEY_STORE_SUFFIX}", role.base()).into(),
            Self::KeyStorePassword(role) => format!("{}{PASSWORD_SUFFIX}", role.base()).into(),
            Self::Crl => "crl.der".into(),
            Self::EtcdConfig => "etcd.conf.yaml".into(),
            Self::EtcdUnit => "etcd.service".into(),
            Self::EtcdctlEnv => "etcdctl.env".into(),
            Self::KubeadmConfig => "kubeadm-config.yaml".into(),
            Self::InstallScript => "install.sh".into(),
        }
    }

    /// The kind of the file with this name, if it is one of a host's files.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(fixed) = Self::FIXED.into_iter().find(|kind| kind.name() == name) {
            return Some(fixed);
        }
        // The longest suffix first: others end in the last.
        let of = |suffix: &str| {
            name.strip_suffix(suffix).filter(|base| !base.is_empty()).map(Role::from_base)
        };
        if let Some(role) = of(COMBINED_SUFFIX) {
            Some(Self::Combined(role))
        } else if let Some(role) = of(KEY_SUFFIX) {
            Some(Self::Key(role))
        } else if let Some(role) = of(PASSWORD_SUFFIX) {
            Some(Self::KeyStorePassword(role))
        } else if let Some(role) = of(KEY_STORE_SUFFIX) {
            Some(Self::KeyStore(role))
        } else if [COMBINED_SUFFIX, KEY_SUFFIX].contains(&name) {
            None
        } else {
            of(CERTIFICATE_SUFFIX).map(Self::Certificate)
        }
    }

    /// True if only its owner may read it.
    pub const fn is_secret(&self) -> bool {
        matches!(
            self,
            Self::Key(_) | Self::Combined(_) | Self::KeyStore(_) | Self::KeyStorePassword(_)
        )
    }

    /// The permission bits of the file.
    pub const fn mode(&self) -> u32 {
        if self.is_secret() { 0o600 } else { 0o644 }
    }

    /// The owner of the file on the host. etcd owns only the keys that it uses: on a host that is also a control plane, etcd
    /// must not be able to read or replace the key of the API server.
    pub const fn owner(&self) -> Owner {
        match self {
            Self::Key(Role::Server | Role::Peer | Role::Member) => Owner::Etcd,
            _ => Owner::Root,
        }
    }
}

/// The name of a file in the folder of a host, from its path there.
pub(crate) fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(folder)?.strip_prefix('/').filter(|name| !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All kinds of files, with the names, modes and owners in the documentation.
    #[test]
    fn a_name_stands_for_one_kind_of_file() {
        let client = || Role::Client(APISERVER_CLIENT.to_owned());
        for (kind, name, mode, owner) in [
            (FileKind::TrustedCas, "ca.pem", 0o644, "root"),
            (FileKind::Certificate(Role::Server), "server.pem", 0o644, "root"),
            (FileKind::Key(Role::Server), "server-key.pem", 0o600, "etcd"),
            (FileKind::Certificate(Role::Peer), "peer.pem", 0o644, "root"),
            (FileKind::Key(Role::Peer), "peer-key.pem", 0o600, "etcd"),
            (FileKind::Certificate(Role::Member), "member.pem", 0o644, "root"),
            (FileKind::Key(Role::Member), "member-key.pem", 0o600, "etcd"),
            (FileKind::Certificate(client()), "apiserver-etcd-client.pem", 0o644, "root"),
            (FileKind::Key(client()), "apiserver-etcd-client-key.pem", 0o600, "root"),
            (FileKind::Combined(client()), "apiserver-etcd-client-combined.pem", 0o600, "root"),
            (FileKind::KeyStore(client()), "apiserver-etcd-client.p12", 0o600, "root"),
            (
                FileKind::KeyStorePassword(client()),
                "apiserver-etcd-client.p12.password",
                0o600,
                "root",
            ),
            (FileKind::EtcdConfig, "etcd.conf.yaml", 0o644, "root"),
            (FileKind::EtcdUnit, "etcd.service", 0o644, "root"),
            (FileKind::EtcdctlEnv, "etcdctl.env", 0o644, "root"),
            (FileKind::KubeadmConfig, "kubeadm-config.yaml", 0o644, "root"),
            (FileKind::InstallScript, "install.sh", 0o644, "root"),
        ] {
            assert_eq!((&*kind.name(), kind.mode()), (name, mode));
            assert_eq!(kind.owner().user(), owner, "{name}");
            assert_eq!(FileKind::from_name(name), Some(kind));
        }
    }

    #[test]
    fn other_names_stand_for_none() {
        for name in [
            "",
            ".pem",
            "-key.pem",
            "-combined.pem",
            ".p12",
            "server.crt",
            "notes.txt",
            "ca",
            "server-key",
        ] {
            assert_eq!(FileKind::from_name(name), None, "{name:?}");
        }
    }
}
