//! PKIs for three members, created with OpenSSL as kubeadm, kubespray, RKE, easy-rsa and people create them: with the
//! same file names, subjects, usages and names in the certificates.
//!
//! The tests do not install kubeadm, RKE and easy-rsa. Their templates are in kubernetes/cmd/kubeadm/app/phases/certs,
//! rancher/rke/pki and easy-rsa's x509-types; kubespray's are in roles/etcd.

mod by_hand;
mod easy_rsa;
mod kubeadm;
mod kubespray;
mod rke;

use std::fs;
use std::path::Path;

pub(super) use self::by_hand::{by_hand, client};
pub(super) use self::easy_rsa::{easy_rsa, easy_rsa_hosts, issue};
pub(super) use self::kubeadm::{kubeadm, kubeadm_hosts};
pub(super) use self::kubespray::{kubespray, kubespray_hosts};
pub(super) use self::rke::{rke, rke_hosts};

use crate::lab::Lab;
use crate::peers;

/// The members: names and addresses.
pub(super) const MEMBERS: [(&str, &str); 3] =
    [("node1", "10.0.0.1"), ("node2", "10.0.0.2"), ("node3", "10.0.0.3")];

/// The contents of a certificate from a tool.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'a> {
    pub(super) subject: &'a str,
    pub(super) names: &'a str,
    pub(super) usages: &'a str,
    pub(super) key_usages: &'a str,
    pub(super) days: &'a str,
}

/// Creates a CA certificate and its key as files in the lab.
pub(super) fn authority(lab: &Lab, subject: &str, certificate: &str, key: &str) {
    lab.write(
        "ca.cnf",
        "[req]\ndistinguished_name = dn\nx509_extensions = ca\n[dn]\n[ca]\n\
         basicConstraints = critical, CA:TRUE\nkeyUsage = critical, digitalSignature, keyCertSign, cRLSign\n\
         subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n",
    );
    openssl(
        lab,
        &[
            "req",
            "-x509",
            "-config",
            "ca.cnf",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "3650",
            "-subj",
            subject,
            "-keyout",
            key,
            "-out",
            certificate,
        ],
    );
}

/// Creates a certificate signed by a CA, and its key.
pub(super) fn leaf(lab: &Lab, ca: (&str, &str), leaf: Leaf<'_>, certificate: &str, key: &str) {
    let names = match leaf.names {
        "" => String::new(),
        names => format!("subjectAltName = {names}\n"),
    };
    lab.write(
        "leaf.cnf",
        format!(
            "[req]\ndistinguished_name = dn\n[dn]\n[leaf]\nbasicConstraints = critical, CA:FALSE\n\
             keyUsage = critical, {}\nextendedKeyUsage = {}\nsubjectKeyIdentifier = hash\n\
             authorityKeyIdentifier = keyid\n{names}",
            leaf.key_usages, leaf.usages
        ),
    );
    openssl(
        lab,
        &[
            "req",
            "-new",
            "-config",
            "leaf.cnf",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            leaf.subject,
            "-keyout",
            key,
            "-out",
            "leaf.csr",
        ],
    );
    openssl(
        lab,
        &[
            "x509",
            "-req",
            "-in",
            "leaf.csr",
            "-CA",
            ca.0,
            "-CAkey",
            ca.1,
            "-CAcreateserial",
            "-days",
            leaf.days,
            "-extfile",
            "leaf.cnf",
            "-extensions",
            "leaf",
            "-out",
            certificate,
        ],
    );
}

pub(super) fn openssl(lab: &Lab, arguments: &[&str]) {
    let mut command = peers::program("openssl");
    let output = command.args(arguments).current_dir(lab.folder()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {errors}");
}

fn folder(lab: &Lab, path: &str) {
    fs::create_dir_all(lab.path(path)).unwrap();
}

pub(super) const BOTH: &str = "serverAuth, clientAuth";
const USAGES: &str = "digitalSignature, keyEncipherment";

/// The names and addresses of all members, for tools that create one certificate for all.
fn all_names() -> String {
    let names = MEMBERS.map(|(name, address)| format!("DNS:{name}, IP:{address}"));
    format!("{}, DNS:localhost, IP:127.0.0.1", names.join(", "))
}

/// Replaces one key with another.
pub(super) fn swap(lab: &Lab, one: impl AsRef<Path>, other: impl AsRef<Path>) {
    fs::copy(lab.path(other), lab.path(one)).unwrap();
}
