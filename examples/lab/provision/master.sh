#!/usr/bin/env bash
# Sets up the master: kubeadm with external etcd, from the folder that `etcdpki apply` created for this host.
# The argument is the machine's address. The members must already be running.
set -euo pipefail
# The folder contains a key, so it goes away also if something fails.
trap 'rm -rf /tmp/bundle' EXIT

# A later run installs renewed certificates. The API server reads them at its next connection.
sh /tmp/bundle/install.sh
[ ! -e /etc/kubernetes/admin.conf ] || { echo 'the master is already set up'; exit 0; }

# kubeadm reads several documents from one file: the one about etcd from the folder, and the address of
# this machine.
{
    cat /etc/kubernetes/pki/etcd/kubeadm-config.yaml
    printf '%s\n' --- 'apiVersion: kubeadm.k8s.io/v1beta4' 'kind: InitConfiguration' \
        'localAPIEndpoint:' "  advertiseAddress: $1"
} >/root/kubeadm.yaml
kubeadm init --config /root/kubeadm.yaml
kubeadm token create --print-join-command >/root/join
