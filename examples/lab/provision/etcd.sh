#!/usr/bin/env bash
# Sets up an etcd member: installs etcd, and the folder that `etcdpki apply` created for this host.
set -euo pipefail
# The folder contains keys, so it goes away also if something fails, such as a download.
trap 'rm -rf /tmp/bundle' EXIT

version=v3.6.4
release=etcd-$version-linux-amd64
if ! /usr/bin/etcd --version 2>/dev/null | grep -q "${version#v}"; then
    download=$(mktemp -d)
    url=https://github.com/etcd-io/etcd/releases/download/$version
    (
        cd "$download"
        curl -fsSLO "$url/$release.tar.gz"
        curl -fsSL "$url/SHA256SUMS" | grep " $release.tar.gz\$" | sha256sum -c -
        tar xzf "$release.tar.gz"
        install -m 0755 "$release/etcd" "$release/etcdctl" /usr/bin/
    )
    rm -r "$download"
fi

sh /tmp/bundle/install.sh
systemctl enable etcd
# etcd is ready only once two members run. vagrant starts them one after the other, so do not wait here.
systemctl start --no-block etcd
