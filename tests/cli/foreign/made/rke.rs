//! RKE's `/etc/kubernetes/ssl`.

use std::fs;

use super::{BOTH, Leaf, MEMBERS, USAGES, all_names, authority, folder, leaf};
use crate::lab::Lab;

/// The folder of a host with all roles. One CA issues everything.
pub(in super::super) fn rke(lab: &Lab, root: &str) {
    folder(lab, root);
    let (certificate, key) = (format!("{root}/kube-ca.pem"), "made-kube-ca-key.pem");
    authority(lab, "/CN=kube-ca", &certificate, key);
    let header = format!("{root}/kube-apiserver-requestheader-ca");
    let header = (format!("{header}.pem"), format!("{header}-key.pem"));
    authority(lab, "/CN=kube-apiserver-requestheader-ca", &header.0, &header.1);
    let names = all_names();
    let etcd = Leaf {
        subject: "/CN=kube-etcd",
        names: &names,
        usages: BOTH,
        key_usages: USAGES,
        days: "3600",
    };
    let make = |ca, made, name: &str| {
        let base = format!("{root}/{name}");
        leaf(lab, ca, made, &format!("{base}.pem"), &format!("{base}-key.pem"));
    };
    let ca = (&*certificate, key);
    for (_, address) in MEMBERS {
        make(ca, etcd, &format!("kube-etcd-{}", address.replace('.', "-")));
    }
    make(ca, Leaf { subject: "/CN=system:kube-apiserver", ..etcd }, "kube-apiserver");
    for (ca, subject, name) in [
        (ca, "/O=system:nodes/CN=system:node", "kube-node"),
        (ca, "/CN=system:kube-proxy", "kube-proxy"),
        (ca, "/O=system:masters/CN=kube-admin", "kube-admin"),
        (
            (&*header.0, &*header.1),
            "/CN=system:kube-apiserver-proxy-client",
            "kube-apiserver-proxy-client",
        ),
    ] {
        make(ca, Leaf { subject, names: "", usages: "clientAuth", ..etcd }, name);
    }
}

/// The files that etcd uses on each member. Its options are only in the container.
pub(in super::super) fn rke_hosts(lab: &Lab, root: &str) {
    rke(lab, "made-ssl");
    for (name, address) in MEMBERS {
        let host = format!("{root}/{name}");
        folder(lab, &host);
        let base = format!("kube-etcd-{}", address.replace('.', "-"));
        for file in ["kube-ca.pem", &format!("{base}.pem"), &format!("{base}-key.pem")] {
            fs::copy(lab.path("made-ssl").join(file), lab.path(&host).join(file)).unwrap();
        }
    }
}
