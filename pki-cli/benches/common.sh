# Shared by the benchmarks: the release build, a temporary folder, ratios. Source it in the project's root
# with the names of the required programs as arguments.

for tool in python3 "$@"; do
    command -v "$tool" >/dev/null || { echo "$tool is missing; run: tests/install-peers" >&2; exit 1; }
done
target=$(realpath "${CARGO_TARGET_DIR:-target}")
cargo build --release --locked --quiet --package pki-cli
etcdpki=$target/release/etcdpki

# On the project's disk, because durable writes are measured and /tmp may be in memory.
work=$(mktemp -d "$target/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

ratio() { # ratio LABEL OURS THEIRS
    awk -v label="$1" -v ours="$2" -v theirs="$3" 'BEGIN { printf "%-28s ours/theirs = %.2f\n", label, ours / theirs }'
}

# Prints the medians in hyperfine's result.json.
medians() {
    python3 -c '
import json
print(*(result["median"] for result in json.load(open("result.json"))["results"]))'
}
