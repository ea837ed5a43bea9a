//! The certificates to issue, and the purposes that each is valid for.

/// All values of `--key`.
pub(super) const ALGORITHMS: [&str; 7] =
    ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096"];

/// The keys of a CA and of its leaf certificates, if they differ.
pub(super) const MIXED: [(&str, &str); 6] = [
    ("rsa-2048", "ecdsa-p256"),
    ("rsa-4096", "ed25519"),
    ("ecdsa-p256", "rsa-2048"),
    ("ecdsa-p256", "ed25519"),
    ("ecdsa-p521", "ecdsa-p384"),
    ("ed25519", "ecdsa-p256"),
];

/// The arguments of `etcdpki issue`, and what the certificate is valid for.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) profile: &'static str,
    pub(super) options: &'static [&'static str],
    /// The base name of its files.
    pub(super) base: &'static str,
    /// All DNS names and addresses in it.
    pub(super) names: &'static [&'static str],
    pub(super) serves: bool,
    pub(super) dials: bool,
}

pub(super) const SERVER: Kind = Kind {
    profile: "server",
    options: &["--san", "etcdone.example.com", "--san", "192.168.29.61", "--san", "fd00::61"],
    base: "etcdone",
    names: &[
        "etcdone",
        "localhost",
        "127.0.0.1",
        "etcdone.example.com",
        "192.168.29.61",
        "fd00::61",
    ],
    serves: true,
    dials: true,
};

pub(super) const PEER: Kind = Kind {
    profile: "peer",
    options: &["--cn", "etcdone", "--san", "192.168.29.61", "--san", "etcd-peer.lab"],
    base: "etcdone-peer",
    names: &["etcdone", "192.168.29.61", "etcd-peer.lab"],
    serves: true,
    dials: true,
};

pub(super) const CLIENT: Kind = Kind {
    profile: "client",
    options: &["--org", "Lab"],
    base: "apiserver-etcd-client",
    names: &["apiserver-etcd-client.invalid"],
    serves: false,
    dials: true,
};

/// A server certificate without clientAuth, which requires a custom profile.
pub(super) const SERVER_ONLY: Kind = Kind {
    profile: "server-only",
    options: &["--config", "profiles.json", "--san", "only.example.com"],
    base: "only",
    names: &["only.example.com"],
    serves: true,
    dials: false,
};

/// Every extension that a profile can add, every kind of name, and a non-ASCII subject.
pub(super) const EVERYTHING: Kind = Kind {
    profile: "everything",
    options: &[
        "--config",
        "profiles.json",
        "--org",
        "Müller Söhne",
        "--san",
        "*.example.com",
        "--san",
        "email:root@example.com",
        "--san",
        "uri:https://etcd.example.com/member/1",
    ],
    base: "everything",
    names: &["one.example.com"],
    serves: true,
    dials: true,
};

pub(super) const INTERMEDIATE: Kind = Kind {
    profile: "intermediate",
    options: &["--config", "profiles.json", "--cn", "etcd intermediate CA"],
    base: "intermediate",
    names: &[],
    serves: false,
    dials: false,
};

pub(super) const ROOT: Kind =
    Kind { profile: "root", options: &[], base: "ca", names: &[], serves: false, dials: false };

/// The permitted names of the constrained CA: those that the built-in profiles add, and the lab's own.
pub(super) const CONSTRAINTS: [&str; 18] = [
    "--path-len",
    "1",
    "--permit",
    "example.com",
    "--permit",
    "localhost",
    "--permit",
    "invalid",
    "--permit",
    "127.0.0.0/8",
    "--permit",
    "192.168.29.0/24",
    "--permit",
    "ip:fd00::/8",
    "--exclude",
    "secret.example.com",
    // After 2049, times have another encoding (RFC 5280 section 4.1.2.5).
    "--expiry",
    "40y",
];

pub(super) const CONSTRAINED_SERVER: Kind = Kind {
    base: "etcdone.example.com",
    options: &["--san", "192.168.29.61", "--san", "fd00::61"],
    names: &["etcdone.example.com", "localhost", "127.0.0.1", "192.168.29.61", "fd00::61"],
    ..SERVER
};

pub(super) const CONSTRAINED_PEER: Kind = Kind {
    base: "peer.example.com",
    options: &["--san", "192.168.29.61"],
    names: &["peer.example.com", "192.168.29.61"],
    ..PEER
};

pub(super) const PROFILES: &str = r#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {
    "intermediate": {
        "expiry": "43800h",
        "usages": ["cert sign", "crl sign"],
        "ca_constraint": {"is_ca": true, "max_path_len_zero": true}
    },
    "server-only": {"usages": ["signing", "server auth"]},
    "everything": {
        "usages": ["signing", "key encipherment", "server auth", "client auth"],
        "issuer_urls": ["http://ca.example.com/ca.crt"],
        "ocsp_url": "http://ocsp.example.com",
        "crl_url": "http://ca.example.com/ca.crl",
        "ocsp_no_check": true,
        "Policies": [{"ID": "1.3.6.1.4.1.55555.1.1", "Qualifiers": [
            {"Type": "id-qt-cps", "Value": "http://ca.example.com/cps"},
            {"Type": "id-qt-unotice", "Value": "for the lab’s own use"}
        ]}]
    }
}}}"#;
