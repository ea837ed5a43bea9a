#!/usr/bin/env bash
# Runs the lab's five hosts with their addresses on this machine: one network namespace for each host, and
# one for the bridge between them. They have no connection to other networks. A real etcd runs with the
# configuration that `apply` writes.
#
#   netns.sh run [ETCDPKI]    start the lab, show that it works, stop it
#   netns.sh up [ETCDPKI]     start the lab and leave it running
#   netns.sh down             stop the lab and delete its files
#
# ETCDPKI is the path of etcdpki; without it (and without $ETCDPKI), cargo builds it. $ETCD and $ETCDCTL
# are the programs to run, $LAB is the lab's name, and $LAB_DIR is the folder for its files. Needs root.
set -euo pipefail
umask 077

here=$(cd "$(dirname "$0")" && pwd)
lab=${LAB:-etcdpki-lab}
dir=${LAB_DIR:-/var/lib/$lab}
etcd=${ETCD:-etcd} etcdctl=${ETCDCTL:-etcdctl}
members=(etcdone etcdtwo etcdthree)
declare -A address=([etcdone]=192.168.29.61 [etcdtwo]=192.168.29.62 [etcdthree]=192.168.29.63
    [masterone]=192.168.29.51 [workerone]=192.168.29.71)

die() { printf 'netns.sh: %s\n' "$*" >&2; exit 1; }

# Runs a program on a host, in the host's folder, with an empty environment.
on() {
    local host=$1
    shift
    cd "$dir/$host" && exec timeout --kill-after=5 30 ip netns exec "$lab-$host" env -i "$@"
}

connect() {
    local host
    ip netns add "$lab-bridge"
    ip -n "$lab-bridge" link add bridge up type bridge
    for host in "${!address[@]}"; do
        ip netns add "$lab-$host"
        ip -n "$lab-bridge" link add "$host" type veth peer name eth0 netns "$lab-$host"
        ip -n "$lab-bridge" link set "$host" master bridge up
        ip -n "$lab-$host" address add "${address[$host]}/24" dev eth0
        ip -n "$lab-$host" link set lo up
        ip -n "$lab-$host" link set eth0 up
    done
}

# Creates the certificates for this version of etcd. The paths are below the current folder of each
# program, so that five hosts with the same configuration can share one machine.
certificates() {
    local version host
    version=$("$etcd" --version | sed -n 's/^etcd Version: //p')
    cp "$here/cluster.yaml" "$dir/cluster.yaml"
    cat >>"$dir/cluster.yaml" <<EOF
etcd_version: "$version"
paths: { etcd: /proc/self/cwd/etc, data: /proc/self/cwd/data, kubernetes: /proc/self/cwd/etc }
EOF
    (cd "$dir" && timeout 60 "$etcdpki" --dir pki apply -f cluster.yaml)
    for host in "${!address[@]}"; do
        mkdir "$dir/$host"
        # The worker has no files.
        [ ! -d "$dir/pki/hosts/$host" ] || cp -a "$dir/pki/hosts/$host" "$dir/$host/etc"
    done
}

# Starts etcd as its unit does, with the same environment and arguments. Only the program can differ.
start() {
    local host=$1 unit=$dir/$1/etc/etcd.service environment arguments
    mapfile -t environment < <(sed -n 's/^Environment=//p' "$unit")
    read -ra arguments < <(sed -n 's|^ExecStart=/usr/bin/etcd||p' "$unit") || true
    (cd "$dir/$host" && exec ip netns exec "$lab-$host" env -i "${environment[@]}" \
        "$etcd" "${arguments[@]}") >"$dir/$host/etcd.log" 2>&1 </dev/null &
    disown
}

# Runs etcdctl on the master with the settings in its etcdctl.env.
master() {
    # shellcheck disable=SC2016
    (on masterone sh -c 'set -a; . etc/etcdctl.env; set +a; exec "$0" "$@"' "$etcdctl" "$@")
}

up() {
    local program
    for program in ip "$etcd" "$etcdctl"; do
        command -v "$program" >/dev/null ||
            die "$program is missing; run: apt-get install iproute2 etcd-server etcd-client"
    done
    etcd=$(command -v "$etcd") etcdctl=$(command -v "$etcdctl")
    etcdpki=${1:-${ETCDPKI:-}}
    if [ -z "$etcdpki" ]; then
        # The PATH under sudo can be different.
        command -v cargo >/dev/null || die 'cargo is missing; build etcdpki first and pass its path: netns.sh run PATH'
        (cd "$here/../.." && timeout 1800 cargo build --quiet --release --package pki-cli)
        etcdpki=$here/../../target/release/etcdpki
    fi
    etcdpki=$(realpath "$etcdpki")
    [ ! -e "/run/netns/$lab-bridge" ] || die "$lab is running; stop it first: netns.sh down"
    [ ! -e "$dir" ] || die "$dir exists; stop the lab first: netns.sh down"
    mkdir "$dir"
    trap down EXIT
    trap 'exit 1' INT TERM
    touch "$dir/.netns.sh"
    connect
    certificates
    local host deadline=$((SECONDS + 60))
    for host in "${members[@]}"; do start "$host"; done
    until master endpoint health >"$dir/health" 2>&1; do
        if [ $SECONDS -ge $deadline ]; then
            tail -n 5 "$dir/health" "$dir"/etcd*/etcd.log >&2
            die "the cluster is not healthy after one minute"
        fi
        sleep 0.2
    done
}

show() {
    echo '== masterone, with its etcdctl.env'
    cat "$dir/health"
    master put lab lives
    master get lab
    echo '== workerone, without a certificate'
    if (on workerone "$etcdctl" --endpoints "https://${address[etcdone]}:2379" \
        --insecure-skip-tls-verify --dial-timeout 1s --command-timeout 1s get lab) 2>/dev/null; then
        die 'etcd accepted workerone without a certificate'
    fi
    echo 'refused'
}

# Ends only the processes in the lab's own namespaces.
down() {
    local name process
    for name in bridge "${!address[@]}"; do
        name=$lab-$name
        [ -e "/run/netns/$name" ] || continue
        for process in $(ip netns pids "$name"); do kill -KILL "$process" 2>/dev/null || true; done
        ip netns delete "$name"
    done
    # Each member has 128 MiB of data. Deletes only a folder that `up` created.
    [ ! -e "$dir/.netns.sh" ] || rm -rf "$dir"
}

command=${1:-}
case $command in
    run | up | down) ;;
    *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || die 'network namespaces need root: sudo examples/lab/netns.sh …'
case $command in
    run) up "${2:-}"; show ;;
    up)
        up "${2:-}"
        show
        trap - EXIT
        printf '== the lab is running; for a shell on a host: cd %s/masterone && ip netns exec %s-masterone bash\n' \
            "$dir" "$lab"
        ;;
    down) down ;;
esac
