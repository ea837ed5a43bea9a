#!/usr/bin/env bash
# Sets up an etcd member: installs etcd, and the bundle that `etcdpki apply` created for this host.
set -euo pipefail

version=v3.6.4
release=etcd-$version-linux-amd64
if ! /usr/bin/etcd --version 2>/dev/null | grep -q "${version#v}"; then
    cd "$(mktemp -d)"
    url=https://github.com/etcd-io/etcd/releases/download/$version
    curl -fsSLO "$url/$release.tar.gz"
    curl -fsSL "$url/SHA256SUMS" | grep " $release.tar.gz\$" | sha256sum -c -
    tar xzf "$release.tar.gz"
    install -m 0755 "$release/etcd" "$release/etcdctl" /usr/bin/
fi

id etcd >/dev/null 2>&1 || useradd --system --home-dir /var/lib/etcd --shell /usr/sbin/nologin etcd
install -d -o etcd -g etcd -m 0700 /var/lib/etcd
# vagrant copies files as its own user. The keys must be readable only by etcd.
install -d -o root -g etcd -m 0750 /etc/etcd
for file in /tmp/bundle/*; do
    case $file in
        *.service) install -m 0644 "$file" /etc/systemd/system/ ;;
        *-key.pem) install -o etcd -g etcd -m 0600 "$file" /etc/etcd/ ;;
        *) install -m 0644 "$file" /etc/etcd/ ;;
    esac
done
rm -r /tmp/bundle

systemctl daemon-reload
systemctl enable etcd
# etcd is ready only once two members run. vagrant starts them one after the other, so do not wait here.
systemctl restart --no-block etcd
