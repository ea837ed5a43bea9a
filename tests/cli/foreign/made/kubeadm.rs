//! kubeadm's `/etc/kubernetes/pki`, and the pod of its etcd.

use std::fs;

use super::{BOTH, Leaf, MEMBERS, USAGES, authority, folder, leaf};
use crate::lab::Lab;

/// `/etc/kubernetes/pki` of each control plane: the API server's files, and the folder of etcd.
pub(in super::super) fn kubeadm(lab: &Lab, root: &str) {
    folder(lab, "made");
    for (subject, base) in [
        ("/CN=etcd-ca", "made/ca"),
        ("/CN=kubernetes", "made/kubernetes"),
        ("/CN=front-proxy-ca", "made/front-proxy"),
    ] {
        authority(lab, subject, &format!("{base}.crt"), &format!("{base}.key"));
    }
    let of_etcd = ("made/ca.crt", "made/ca.key");
    let of_kubernetes = ("made/kubernetes.crt", "made/kubernetes.key");
    let of_front_proxy = ("made/front-proxy.crt", "made/front-proxy.key");
    for (name, address) in MEMBERS {
        let pki = format!("{root}/{name}");
        folder(lab, &format!("{pki}/etcd"));
        for (from, to) in [
            ("made/ca.crt", "etcd/ca.crt"),
            ("made/kubernetes.crt", "ca.crt"),
            ("made/front-proxy.crt", "front-proxy-ca.crt"),
        ] {
            fs::copy(lab.path(from), lab.path(format!("{pki}/{to}"))).unwrap();
        }
        let names = format!("DNS:{name}, DNS:localhost, IP:{address}, IP:127.0.0.1, IP:::1");
        let subject = format!("/CN={name}");
        let of_member = Leaf {
            subject: &subject,
            names: &names,
            usages: BOTH,
            key_usages: USAGES,
            days: "365",
        };
        let make = |ca, made, file: &str| {
            let base = format!("{pki}/{file}");
            leaf(lab, ca, made, &format!("{base}.crt"), &format!("{base}.key"));
        };
        make(of_etcd, of_member, "etcd/server");
        make(of_etcd, of_member, "etcd/peer");
        let apiserver = Leaf { subject: "/CN=kube-apiserver", usages: "serverAuth", ..of_member };
        make(of_kubernetes, apiserver, "apiserver");
        for (ca, file, subject) in [
            (
                of_etcd,
                "etcd/healthcheck-client",
                "/O=kubeadm:cluster-admins/CN=kube-etcd-healthcheck-client",
            ),
            (
                of_etcd,
                "apiserver-etcd-client",
                "/O=kubeadm:cluster-admins/CN=kube-apiserver-etcd-client",
            ),
            (
                of_kubernetes,
                "apiserver-kubelet-client",
                "/O=kubeadm:cluster-admins/CN=kube-apiserver-kubelet-client",
            ),
            (of_front_proxy, "front-proxy-client", "/CN=front-proxy-client"),
        ] {
            make(ca, Leaf { subject, names: "", usages: "clientAuth", ..of_member }, file);
        }
    }
}

/// `/etc/kubernetes/pki/etcd` of each member, with `/etc/kubernetes/manifests/etcd.yaml` in it.
pub(in super::super) fn kubeadm_hosts(lab: &Lab, root: &str) {
    kubeadm(lab, "made-pki");
    for (name, address) in MEMBERS {
        let host = format!("{root}/{name}");
        folder(lab, &host);
        for file in fs::read_dir(lab.path(format!("made-pki/{name}/etcd"))).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), lab.path(&host).join(file.file_name())).unwrap();
        }
        lab.write(format!("{host}/etcd.yaml"), pod(name, address));
    }
}

/// The kubelet's pod.
fn pod(name: &str, address: &str) -> String {
    let cluster = MEMBERS.map(|(name, address)| format!("{name}=https://{address}:2380")).join(",");
    let pki = "/etc/kubernetes/pki/etcd";
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    \
         kubeadm.kubernetes.io/etcd.advertise-client-urls: https://{address}:2379\n  name: etcd\n  \
         namespace: kube-system\nspec:\n  containers:\n  - command:\n    - etcd\n    \
         - --advertise-client-urls=https://{address}:2379\n    - --cert-file={pki}/server.crt\n    \
         - --client-cert-auth=true\n    - --data-dir=/var/lib/etcd\n    \
         - --experimental-initial-corrupt-check=true\n    \
         - --initial-advertise-peer-urls=https://{address}:2380\n    - --initial-cluster={cluster}\n    \
         - --initial-cluster-state=existing\n    - --key-file={pki}/server.key\n    \
         - --listen-client-urls=https://127.0.0.1:2379,https://{address}:2379\n    \
         - --listen-metrics-urls=http://127.0.0.1:2381\n    \
         - --listen-peer-urls=https://{address}:2380\n    - --name={name}\n    \
         - --peer-cert-file={pki}/peer.crt\n    - --peer-client-cert-auth=true\n    \
         - --peer-key-file={pki}/peer.key\n    - --peer-trusted-ca-file={pki}/ca.crt\n    \
         - --snapshot-count=10000\n    - --trusted-ca-file={pki}/ca.crt\n    \
         image: registry.k8s.io/etcd:3.5.15-0\n    name: etcd\n  hostNetwork: true\nstatus: {{}}\n"
    )
}
