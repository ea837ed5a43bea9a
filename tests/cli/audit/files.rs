//! Faults in the hosts' files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::plant::openssl;
use super::{APPLIED, after, copy, copy_of, edit, host};
use crate::lab::Lab;

#[test]
fn the_cas_key_on_a_member_is_found() {
    let found = after(|lab| copy(lab, "ca-key.pem", "hosts/etcdtwo/ca-key.pem"));
    assert_eq!(found, ["etcdtwo/ca-key.pem: ca-key-on-node"]);
}

#[test]
fn a_credential_on_a_worker_is_found() {
    let found = after(|lab| {
        fs::create_dir(lab.path("pki/hosts/workerone")).unwrap();
        copy(lab, "hosts/etcdone/peer-key.pem", "hosts/workerone/peer-key.pem");
    });
    assert_eq!(found, ["workerone/peer-key.pem: worker-holds-credential"]);
}

#[test]
fn a_key_that_others_can_read_is_found() {
    let found = after(|lab| {
        let key = lab.path("pki/hosts/masterone/apiserver-etcd-client-key.pem");
        fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    });
    assert_eq!(found, ["masterone/apiserver-etcd-client-key.pem: file-mode"]);
}

#[test]
fn a_missing_file_is_found() {
    for file in ["etcdone/server.pem", "etcdone/server-key.pem", "masterone/ca.pem"] {
        let found = after(|lab| fs::remove_file(lab.path(host(file))).unwrap());
        assert_eq!(found, [format!("{file}: file-missing")]);
    }
}

#[test]
fn a_file_that_the_configuration_names_and_that_is_not_there_is_found() {
    let found = after(|lab| {
        let (old, new) = ("/apiserver-etcd-client.pem", "/another.pem");
        edit(lab, "masterone/kubeadm-config.yaml", old, new);
    });
    assert_eq!(found, ["masterone/another.pem: file-missing"]);
}

#[test]
fn certificate_and_key_that_changed_places_are_found() {
    let found = after(|lab| {
        let path = |name: &str| lab.path(host("etcdone")).join(name);
        fs::rename(path("server.pem"), path("aside")).unwrap();
        fs::rename(path("server-key.pem"), path("server.pem")).unwrap();
        fs::rename(path("aside"), path("server-key.pem")).unwrap();
    });
    let files = ["etcdone/server-key.pem: pem-swapped", "etcdone/server.pem: pem-swapped"];
    assert_eq!(found, files);
}

#[test]
fn the_key_of_another_member_is_found() {
    let found = after(|lab| {
        copy(lab, "hosts/etcdtwo/server-key.pem", "hosts/etcdone/server-key.pem");
    });
    assert_eq!(found, ["etcdone/server.pem: key-mismatch"]);
}

fn rewritten_by_openssl(lab: &Lab, path: &str, arguments: &str) {
    let path = host(path);
    openssl(lab, &format!("{arguments} -in {path} -out rewritten"));
    let mode = fs::metadata(lab.path(&path)).unwrap().permissions();
    fs::copy(lab.path("rewritten"), lab.path(&path)).unwrap();
    fs::set_permissions(lab.path(&path), mode).unwrap();
}

#[test]
fn an_empty_certificate_file_is_found() {
    let found = after(|lab| lab.write(host("etcdone/server.pem"), ""));
    assert_eq!(found, ["etcdone/server.pem: pem-empty"]);
}

#[test]
fn a_certificate_in_der_is_found() {
    let found = after(|lab| rewritten_by_openssl(lab, "etcdone/peer.pem", "x509 -outform DER"));
    assert_eq!(found, ["etcdone/peer.pem: pem-der"]);
}

#[test]
fn a_key_in_der_is_found() {
    let found = after(|lab| rewritten_by_openssl(lab, "etcdone/peer-key.pem", "pkey -outform DER"));
    assert_eq!(found, ["etcdone/peer-key.pem: pem-der"]);
}

#[test]
fn a_certificate_under_another_label_is_found() {
    let found = after(|lab| rewritten_by_openssl(lab, "etcdone/server.pem", "x509 -trustout"));
    assert_eq!(found, ["etcdone/server.pem: pem-label"]);
}

#[test]
fn a_certificate_that_is_cut_short_is_found() {
    let found = after(|lab| {
        let contents = lab.read(host("etcdone/server.pem"));
        lab.write(host("etcdone/server.pem"), &contents[..contents.len() / 2]);
    });
    assert_eq!(found, ["etcdone/server.pem: pem-damaged"]);
}

/// As a heredoc or a YAML file has it: etcd finds no CA in it.
#[test]
fn a_trust_file_whose_lines_are_indented_is_found() {
    for file in ["etcdone/ca.pem", "masterone/ca.pem"] {
        let found = after(|lab| {
            let text = String::from_utf8(lab.read(host(file))).unwrap();
            let lines = format!("  {}\n", text.trim_end().replace('\n', "\n  "));
            lab.write(host(file), lines);
        });
        assert!(found.contains(&format!("{file}: pem-damaged")), "{found:?}");
    }
}

#[test]
fn an_encrypted_key_is_found() {
    for arguments in ["pkey -aes256 -passout pass:x", "ec -aes256 -passout pass:x"] {
        let found = after(|lab| rewritten_by_openssl(lab, "etcdone/server-key.pem", arguments));
        assert_eq!(found, ["etcdone/server-key.pem: key-encrypted"], "{arguments}");
    }
}

/// As in labs that use cfssl.
#[test]
fn one_certificate_and_key_on_two_members_is_found() {
    let found = after(|lab| {
        for file in ["peer.pem", "peer-key.pem"] {
            copy(lab, &format!("hosts/etcdone/{file}"), &format!("hosts/etcdtwo/{file}"));
        }
    });
    // Because of the key, and because the names are not those of the second host, in both directions.
    let rules = ["peer-san-dial", "peer-san-source", "shared-key"];
    assert_eq!(found, rules.map(|rule| format!("etcdtwo/peer.pem: {rule}")));
}

/// Also if the certificates of both pairs have the same damage as the key that they share.
#[test]
fn a_key_of_two_pairs_is_reported_once() {
    let lab = copy_of(&APPLIED);
    edit(&lab, "etcdone/etcd.conf.yaml", "/etc/etcd/peer-key.pem", "/etc/etcd/server-key.pem");
    for file in ["server.pem", "peer.pem", "server-key.pem"] {
        lab.write(host(&format!("etcdone/{file}")), "");
    }
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert_eq!(run.stdout.matches("[pem-empty] server-key.pem").count(), 1, "{run:?}");
}
