# What the benchmarks share: the release build, a folder to work in, ratios. To be sourced from the project's
# root with the names of the programs that are needed.

for tool in python3 "$@"; do
    command -v "$tool" >/dev/null || { echo "$tool is missing; install the peers with: tests/install-peers" >&2; exit 1; }
done
target=$(realpath "${CARGO_TARGET_DIR:-target}")
cargo build --release --locked --quiet --package pki-cli
etcdpki=$target/release/etcdpki

# On the disk that the project is on: what is measured is durable, and /tmp may be memory.
work=$(mktemp -d "$target/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

ratio() { # ratio LABEL OURS THEIRS
    awk -v label="$1" -v ours="$2" -v theirs="$3" 'BEGIN { printf "%-28s ours/theirs = %.2f\n", label, ours / theirs }'
}

# The medians in hyperfine's result.json, one after the other.
medians() {
    python3 -c '
import json
print(*(result["median"] for result in json.load(open("result.json"))["results"]))'
}
