//! Reads any bytes as a file in a member's folder: a certificate, a key, etcd's YAML, unit or environment file, or a CRL
//! that both ports enforce. Verifies a whole cluster of one member with it.
//!
//! The first byte chooses the file.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pki_core::{Bundles, CaSet, ClusterCas, HostFile, InitialStates, KeyFormat, Manifest};
use world::{CHAIN, NOW, no_bug};

const NAMES: [&str; 12] = [
    "etcd.conf.yaml",
    "etcd.service",
    "crl.pem",
    "ca.pem",
    "server.pem",
    "server-key.pem",
    "peer.pem",
    "etcdctl.env",
    "kubeadm-config.yaml",
    "etcd.env",
    "etcd.yaml",
    "etcd.conf",
];

/// The files without which the pod or the environment file of another tool counts.
const CONFIGURATION: [&str; 2] = ["etcd.conf.yaml", "etcd.service"];

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    let yaml = b"cluster: lab\netcd_version: 3.5.1\netcd: [{ name: etcdone, ip: 10.0.0.1 }]\ncontrol_plane: [{ name: masterone, ip: 10.0.0.3 }]\n";
    Manifest::from_yaml(yaml).expect("a manifest")
});

static CAS: LazyLock<ClusterCas> = LazyLock::new(|| {
    let chain = vec![CHAIN[1].certificate.clone(), CHAIN[0].certificate.clone()];
    ClusterCas::shared(CaSet::new(chain).expect("a chain"))
});

/// The files of the hosts. All use the same pair, because its faults are found in every role.
static SOUND: LazyLock<Vec<HostFile>> = LazyLock::new(|| {
    let pem = CHAIN.each_ref().map(|entity| entity.certificate.to_pem().expect("PEM"));
    let key = CHAIN[2].key.to_pem(KeyFormat::Pkcs8).expect("PEM").to_string();
    let mut files = Vec::new();
    for host in ["etcdone", "masterone"] {
        let mut add = |name: &str, contents: &str| {
            files.push(HostFile::new(host, name, 0o600, contents.as_bytes()));
        };
        add("ca.pem", &pem[0]);
        let bases: &[&str] =
            if host == "masterone" { &["apiserver-etcd-client"] } else { &["server", "peer"] };
        for base in bases {
            add(&format!("{base}.pem"), &format!("{}{}", pem[2], pem[1]));
            add(&format!("{base}-key.pem"), &key);
        }
        for file in Bundles::new(&MANIFEST, InitialStates::default()).generated(host) {
            let lists = "Environment=ETCD_CLIENT_CRL_FILE=/etc/etcd/crl.pem\n\
                Environment=ETCD_PEER_CRL_FILE=/etc/etcd/crl.pem\n\
                EnvironmentFile=-/etc/etcd/etcd.env\nExecStart=";
            add(&file.kind.name(), &file.contents.replace("ExecStart=", lists));
        }
    }
    files
});

fuzz_target!(|bytes: &[u8]| {
    let [chosen, contents @ ..] = bytes else { return };
    let name = NAMES[usize::from(*chosen) % NAMES.len()];
    let host = if name.starts_with("etcdctl") || name.starts_with("kubeadm") {
        "masterone"
    } else {
        "etcdone"
    };
    let mut files = vec![HostFile::new(host, name, 0o600, contents)];
    let is_alone = ["etcd.yaml", "etcd.conf"].contains(&name);
    let counts = |other: &&HostFile| {
        let hidden = is_alone && CONFIGURATION.contains(&&*other.name);
        other.host != host || (other.name != name && !hidden)
    };
    let others = SOUND.iter().filter(counts);
    files.extend(others.cloned());
    for found in no_bug(MANIFEST.audit(&CAS, &files, NOW)).into_iter().flatten() {
        found.findings().for_each(|finding| drop(finding.to_string()));
    }
});
