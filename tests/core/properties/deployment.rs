//! Whatever the files of a host contain, whoever made them, nobody panics who reads them.

use pki_core::{
    AdoptedFile, AdoptedFolder, Adoption, EtcdVersion, FolderFile, Manifest, PkiFolder,
};
use proptest::prelude::*;
use proptest::sample::Index;

use super::cases;
use super::damage::{SOUND, damage, damaged};
use crate::rules::hosts::Hosts;

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn a_damaged_file_is_verified_like_any_other(
        file in any::<Index>(),
        damages in prop::collection::vec(damage(), 1..4),
        other in prop::option::weighted(0.3, any::<Index>()),
    ) {
        let mut hosts = Hosts::new();
        let files = hosts.contents();
        let (path, contents) = file.get(&files);
        // The file with changed bytes, or replaced by other readable contents.
        let sound: &[u8] = match other {
            Some(other) => other.get(SOUND.as_slice()) as &Vec<u8>,
            None => contents.as_bytes(),
        };
        let bytes = damaged(sound, &damages);
        hosts.write(path, 0o600, bytes);
        for finding in hosts.findings() {
            prop_assert!(!finding.evidence.to_string().is_empty(), "{finding}");
        }
    }

    /// An adopted cluster is a manifest that can be read, or an error.
    #[test]
    fn any_folder_is_adopted_or_refused(
        folders in prop::collection::vec(prop::collection::vec(file(), 0..6), 1..4),
    ) {
        let mut adopted = Vec::new();
        for (index, files) in folders.into_iter().enumerate() {
            let read: Vec<_> = files
                .iter()
                .map(|(path, contents)| FolderFile {
                    path,
                    text: std::str::from_utf8(contents).ok().filter(|_| !path.contains(".crt")),
                })
                .collect();
            let _ = PkiFolder::read(&read, EtcdVersion(3, 5, 0));
            let files = files.into_iter().map(|(path, contents)| AdoptedFile { path, contents });
            adopted.push(AdoptedFolder { name: format!("node{index}"), files: files.collect() });
        }
        if let Ok(adoption) = Adoption::read(&adopted) {
            prop_assert!(Manifest::from_yaml(adoption.manifest.as_bytes()).is_ok());
        }
    }
}

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command: [etcd, --name=node1, \
    --cert-file=/pki/server.crt, --initial-cluster=node1=https://10.0.0.1:2380]\n";
const UNIT: &str =
    "[Service]\nEnvironmentFile=/etc/etcd.env\nExecStart=/usr/bin/etcd --name ${NAME}\n";
const ENVIRONMENT: &str = "ETCD_NAME=node2\nETCD_CERT_FILE=/pki/peer.crt\nETCD_PEER_CERT_FILE=/pki/peer.crt\n\
    ETCD_INITIAL_CLUSTER=node1=https://10.0.0.1:2380,node2=https://[::1]:2380\n";

/// A file with a name that means something, and damaged contents.
fn file() -> impl Strategy<Value = (String, Vec<u8>)> {
    let names = [
        "ca.crt",
        "etcd/ca.crt",
        "server.crt",
        "peer.crt",
        "etcd/peer.crt",
        "healthcheck-client.crt",
        "member-node1.crt",
        "kube-etcd-10-0-0-1.crt",
        "issued/node3.crt",
        "a.crt",
        "etcd.yaml",
        "etcd.service",
        "etcd.env",
        "etcd.conf",
        "etcd.conf.yaml",
        "server.key",
        "peer.key",
    ];
    let contents = prop_oneof![
        4 => any::<Index>().prop_map(|index| index.get(SOUND.as_slice()).clone()),
        1 => Just(POD.into()),
        1 => Just(UNIT.into()),
        1 => Just(ENVIRONMENT.into()),
    ];
    let damages = prop::collection::vec(damage(), 0..2);
    (prop::sample::select(names.to_vec()), contents, damages)
        .prop_map(|(name, contents, damages)| (name.to_owned(), damaged(&contents, &damages)))
}
