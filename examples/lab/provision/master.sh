#!/usr/bin/env bash
# Sets up the master: kubeadm with external etcd, from the bundle that `etcdpki apply` created for this host.
# The argument is the machine's address. The members must already be running.
set -euo pipefail

[ ! -e /etc/kubernetes/admin.conf ] || { echo 'the master is already set up'; exit 0; }
pki=/etc/kubernetes/pki/etcd
install -d -m 0755 "$pki"
for file in /tmp/bundle/*; do
    case $file in
        *-key.pem) install -m 0600 "$file" "$pki/" ;;
        *) install -m 0644 "$file" "$pki/" ;;
    esac
done
rm -r /tmp/bundle

# kubeadm reads several documents from one file: the one about etcd from the bundle, and the address of
# this machine.
{
    cat "$pki/kubeadm-config.yaml"
    printf '%s\n' --- 'apiVersion: kubeadm.k8s.io/v1beta4' 'kind: InitConfiguration' \
        'localAPIEndpoint:' "  advertiseAddress: $1"
} >/root/kubeadm.yaml
kubeadm init --config /root/kubeadm.yaml
kubeadm token create --print-join-command >/root/join
