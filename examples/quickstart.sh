#!/usr/bin/env bash
# The lab's whole PKI: one etcd CA, three members with a server and a peer certificate each, the API
# server's client certificate; then every one of them verified as etcd and its clients will.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-lab-pki}

if [ -e "$out" ]; then
    echo "$out is there already; move it away, or name another folder: $0 DIR" >&2
    exit 1
fi

cargo build --release --locked --package pki-cli
etcdpki() { "${CARGO_TARGET_DIR:-target}/release/etcdpki" --dir "$out/ca" "$@"; }

members=(etcdone:192.168.29.61 etcdtwo:192.168.29.62 etcdthree:192.168.29.63)

etcdpki init-ca --cn 'etcd CA' --org lab
for member in "${members[@]}"; do
    name=${member%%:*} ip=${member#*:}
    etcdpki issue --profile server --cn "$name" --san "$name.example.com" --san "$ip" --out "$out/$name" server
    # All peers share one name, so that etcd can shut the peer port to everybody else:
    # --peer-cert-allowed-hostname etcd-peer.lab
    etcdpki issue --profile peer --cn "$name" --san "$ip" --san etcd-peer.lab --out "$out/$name" peer
done
etcdpki issue --profile client --out "$out/masterone" apiserver-etcd-client

echo
for member in "${members[@]}"; do
    name=${member%%:*} ip=${member#*:}
    etcdpki verify "$out/$name/server.pem" --purpose server --key "$out/$name/server-key.pem" \
        --host "$name" --host "$name.example.com" --host "$ip" --host localhost --host 127.0.0.1
    etcdpki verify "$out/$name/peer.pem" --purpose peer --key "$out/$name/peer-key.pem" \
        --host "$ip" --host etcd-peer.lab
done
etcdpki verify "$out/masterone/apiserver-etcd-client.pem" --purpose client \
    --key "$out/masterone/apiserver-etcd-client-key.pem"

echo
echo "The lab's PKI is in $out: the CA in ca/, and a folder for each host."
