//! Examples of the rules about the configuration of etcd's clients.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("client-setting-missing", |hosts| {
        hosts.edit(KUBEADM, "    caFile: /etc/kubernetes/pki/etcd/ca.pem\n", "");
    }),
    Example::hosts("client-plain-http", |hosts| {
        hosts.edit(KUBEADM, "https://192.168.29.62", "http://192.168.29.62");
    }),
    Example::hosts("client-endpoint-unknown", |hosts| {
        hosts.edit(KUBEADM, "https://192.168.29.62", "https://192.168.29.60");
    }),
    Example::hosts("client-variable-unread", |hosts| {
        hosts.edit("masterone/etcdctl.env", "ETCDCTL_CACERT", "ETCDCTL_CA_FILE");
    }),
];

const KUBEADM: &str = "masterone/kubeadm-config.yaml";
