#!/usr/bin/env bash
# Sets up the master and the worker: containerd, kubelet and kubeadm. The argument is the machine's address.
set -euo pipefail

minor=v1.34
export DEBIAN_FRONTEND=noninteractive
swapoff -a
sed -i '/\sswap\s/d' /etc/fstab
printf '%s\n' overlay br_netfilter >/etc/modules-load.d/kubernetes.conf
modprobe -a overlay br_netfilter
printf '%s\n' net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 >/etc/sysctl.d/kubernetes.conf
sysctl --quiet --system

apt-get update
apt-get install -y containerd curl gpg
mkdir -p /etc/containerd /etc/apt/keyrings
# kubeadm's default for the kubelet is systemd's cgroup driver.
containerd config default | sed 's/SystemdCgroup = false/SystemdCgroup = true/' \
    >/etc/containerd/config.toml
systemctl restart containerd

url=https://pkgs.k8s.io/core:/stable:/$minor/deb
curl -fsSL "$url/Release.key" | gpg --dearmor --yes -o /etc/apt/keyrings/kubernetes.gpg
echo "deb [signed-by=/etc/apt/keyrings/kubernetes.gpg] $url/ /" >/etc/apt/sources.list.d/kubernetes.list
apt-get update
apt-get install -y kubelet kubeadm kubectl
apt-mark hold kubelet kubeadm kubectl
# The first address of a vagrant machine belongs to its NAT and is the same on all machines.
echo "KUBELET_EXTRA_ARGS=--node-ip=$1" >/etc/default/kubelet
systemctl restart kubelet
