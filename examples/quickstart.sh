#!/usr/bin/env bash
# Creates the lab's whole PKI from its manifest: one etcd CA, a server and a peer certificate for each of
# three members, the API server's client certificate, and the configuration that uses them. Then verifies
# all of it.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-lab-pki}

if [ -e "$out" ]; then
    echo "$out already exists; move it away, or use another folder: $0 DIR" >&2
    exit 1
fi

cargo build --release --locked --package pki-cli
etcdpki() {
    printf '\n$ etcdpki %s\n' "$*"
    "${CARGO_TARGET_DIR:-target}/release/etcdpki" "$@"
}

etcdpki -d "$out" apply -f examples/lab/cluster.yaml
etcdpki -d "$out" verify -f examples/lab/cluster.yaml

printf '\n%s\n' "The lab's PKI is in $out: the CA, and a folder for each host in hosts/."
