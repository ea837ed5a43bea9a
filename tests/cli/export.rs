//! `export`: a host's bundle in one file, checked with tar, OpenSSL and GnuTLS.

mod key_stores;
mod modes;
mod refused;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

const LAB: &str = "\
cluster: lab
etcd:
  - { name: etcdone, ip: 192.168.29.61 }
  - { name: etcdtwo, ip: 192.168.29.62, combined: true, key: rsa-2048 }
  - { name: etcdthree, ip: 192.168.29.63, key: ed25519 }
control_plane:
  - { name: masterone, ip: 192.168.29.51 }
clients:
  - { name: healthcheck-client, host: etcdone }
  - { name: backup, key: ecdsa-p384 }
";

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", LAB);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The mode, owner and name of each entry in an archive, as listed by tar.
fn list(lab: &Lab, archive: &str) -> String {
    let mut tar = peers::program("tar");
    let run = finish(tar.args(["--numeric-owner", "-tvzf", archive]).current_dir(lab.folder()));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{} {} {}\n", words[0], words[1], words[words.len() - 1])
    };
    run.stdout.lines().map(line).collect()
}

fn unpack(lab: &Lab, archive: &str, to: &str) {
    fs::create_dir_all(lab.path(to)).unwrap();
    let mut tar = peers::program("tar");
    let run = finish(tar.args(["-xpzf", archive, "-C", to]).current_dir(lab.folder()));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
}

/// The names, modes and contents of the files in a folder.
fn files(folder: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, mode(&path), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_bundle_unpacks_to_the_folder_that_it_was_made_of() {
    let lab = lab();
    for host in ["etcdone", "etcdtwo", "etcdthree", "masterone", "admin"] {
        let archive = format!("{host}.tar.gz");
        let told = lab.ok(&["export", host]);
        assert!(told.starts_with(&format!("{archive}: ")), "{told}");
        assert_eq!(mode(&lab.path(&archive)), 0o600);
        unpack(&lab, &archive, &format!("unpacked/{host}"));
        let (made, from) = (lab.path(format!("unpacked/{host}")), format!("pki/hosts/{host}"));
        assert_eq!(files(&made), files(&lab.path(from)), "{host}");
    }
    insta::assert_snapshot!("bundle", list(&lab, "etcdone.tar.gz"));
}

/// Archives of the same files are identical, whoever packs them and when, so that comparing two shows whether a key
/// has changed.
#[test]
fn the_same_files_are_the_same_bytes() {
    let lab = lab();
    lab.ok(&["export", "etcdone"]);
    let first = lab.read("etcdone.tar.gz");
    for file in fs::read_dir(lab.path("pki/hosts/etcdone")).unwrap() {
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        fs::File::open(file.unwrap().path()).unwrap().set_modified(long_ago).unwrap();
    }
    lab.ok(&["export", "etcdone", "--out", "again.tar.gz"]);
    assert_eq!(lab.read("again.tar.gz"), first);
    let output = lab.command(&["export", "etcdone", "--out", "-"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(output.stdout, first);
}

#[test]
fn it_reads_and_needs_no_key_of_the_ca() {
    let lab = lab();
    for name in ["ca-key.pem", "hosts.json", "inventory.db", "inventory.db-wal"] {
        fs::remove_file(lab.path("pki").join(name)).unwrap();
    }
    fs::set_permissions(lab.path("pki/hosts/etcdone"), fs::Permissions::from_mode(0o500)).unwrap();
    lab.ok(&["export", "etcdone"]);
    assert_eq!(files_below(&lab.path("pki")), ["ca.pem", "hosts"]);
}

fn files_below(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn nothing_is_overwritten_without_force() {
    let lab = lab();
    lab.write("etcdone.tar.gz", "mine");
    let run = lab.run(&["export", "etcdone"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("etcdone.tar.gz exists already"), "{run:?}");
    assert_eq!(lab.read("etcdone.tar.gz"), b"mine");
    fs::set_permissions(lab.path("etcdone.tar.gz"), fs::Permissions::from_mode(0o644)).unwrap();
    lab.ok(&["export", "etcdone", "--force"]);
    assert_ne!(lab.read("etcdone.tar.gz"), b"mine");
    assert_eq!(mode(&lab.path("etcdone.tar.gz")), 0o600);
}

/// The file names of kubeadm's own phases, below /etc/kubernetes.
#[test]
fn kubeadm_finds_its_files_where_it_looks_for_them() {
    let lab = lab();
    let mut listed = String::new();
    for host in ["etcdone", "etcdtwo", "masterone", "admin"] {
        let archive = format!("{host}.tar.gz");
        lab.ok(&["export", host, "--as", "kubeadm"]);
        listed.extend([format!("{host}\n{}", list(&lab, &archive))]);
        unpack(&lab, &archive, host);
    }
    insta::assert_snapshot!("kubeadm", listed);
    for (made, from) in [
        ("etcdone/pki/etcd/ca.crt", "../ca.pem"),
        ("etcdone/pki/etcd/server.crt", "etcdone/server.pem"),
        ("etcdone/pki/etcd/peer.key", "etcdone/peer-key.pem"),
        ("etcdone/pki/etcd/healthcheck-client.key", "etcdone/healthcheck-client-key.pem"),
        ("etcdtwo/pki/etcd/server.key", "etcdtwo/member-key.pem"),
        ("etcdtwo/pki/etcd/peer.crt", "etcdtwo/member.pem"),
        ("masterone/pki/apiserver-etcd-client.crt", "masterone/apiserver-etcd-client.pem"),
        ("masterone/pki/apiserver-etcd-client.key", "masterone/apiserver-etcd-client-key.pem"),
        ("admin/pki/etcd/backup.key", "admin/backup-key.pem"),
    ] {
        assert_eq!(lab.read(made), lab.read(Path::new("pki/hosts").join(from)), "{made}");
    }
}

#[test]
fn the_json_names_each_file_and_what_is_in_it() {
    let lab = lab();
    let out = lab.ok(&["--format", "json", "export", "admin"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let contents = ["backup-key.pem", "backup.pem", "ca.pem", "etcdctl.env", "install.sh"];
    let files = serde_json::json!([{ "file": "admin.tar.gz", "contents": contents }]);
    assert_eq!(document, serde_json::json!({ "host": "admin", "files": files }));
    let run = lab.run(&["--format", "json", "export", "admin", "--out", "-"]);
    assert_eq!(run.code, 2, "{run:?}");
}
