//! Requests, configurations and flags.

use super::Ours::{Fails, Warns};
use super::Theirs::{Completes, OnlyLater, Panics};
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row(
        "an empty request",
        "echo '{}' | $sign -profile peer -",
        Completes,
        Fails("would name nobody"),
    ),
    row(
        "a request that is null",
        "echo null | $sign -profile peer -",
        Completes,
        Fails("would name nobody"),
    ),
    row(
        "a life of four minutes",
        "$sign -profile short leaf.json",
        Completes,
        Fails("already be expired"),
    ),
    row(
        "a life of a microsecond",
        "$sign -profile instant leaf.json",
        Completes,
        Fails("at least one second"),
    ),
    row(
        "an end before the beginning",
        "sed 's/\"bogus\": 1/\"not_before\": \"2029-01-01T00:00:00Z\", \"not_after\": \"2028-01-01T00:00:00Z\"/' config.json >reversed.json; ${sign/config.json/reversed.json} -profile typo leaf.json",
        Panics,
        Fails("not after not_before"),
    ),
    row(
        "a request that is not UTF-8",
        "printf '{\"CN\":\"a\\xff\"}' | $sign -profile peer -",
        Completes,
        Warns("text that is not Unicode"),
    ),
    row(
        "a request with half a character",
        "echo '{\"CN\":\"a\\ud800\"}' | $sign -profile peer -",
        Completes,
        Warns("text that is not Unicode"),
    ),
    row(
        "a control character in a name",
        "echo '{\"CN\":\"a\\u0000\"}' | $sign -profile peer -",
        Completes,
        Fails("it contains a control character"),
    ),
    row(
        "a name that is too long",
        "printf '{\"CN\":\"%065d\"}' 0 | $sign -profile peer -",
        Completes,
        Fails("longer than 64 characters"),
    ),
    row(
        "a character that a subject's serialNumber cannot have",
        "echo '{\"CN\":\"a\",\"serialnumber\":\"1*\"}' | $sign -profile peer -",
        Completes,
        Fails("are allowed here"),
    ),
    row(
        "an empty string in a list of a profile",
        "sed 's/\"signing\", \"key/\"signing\", null, \"key/' config.json >null.json; ${sign/config.json/null.json} -profile peer leaf.json",
        Completes,
        Warns("an empty string; it is left out"),
    ),
    row(
        "an unknown usage",
        "$sign -profile camel leaf.json",
        Completes,
        Fails("did you mean \"server auth\"?"),
    ),
    row(
        "an unknown field of a profile",
        "$sign -profile typo leaf.json",
        Completes,
        Warns("unknown field"),
    ),
    row(
        "an unknown field of a request",
        "echo '{\"CN\":\"a\",\"hosts\":[\"a\"],\"expirey\":\"1h\"}' | $sign -profile peer -",
        Completes,
        Warns("expirey \"1h\": unknown field"),
    ),
    row(
        "a life in the request",
        "echo '{\"CN\":\"a\",\"hosts\":[\"a\"],\"expiry\":\"1h\"}' | $sign -profile peer -",
        Completes,
        Warns("has no effect in a CSR JSON"),
    ),
    row(
        "two equal keys",
        "echo '{\"CN\":\"a\",\"hosts\":[\"a\"],\"CN\":\"b\"}' | $sign -profile peer -",
        Completes,
        Warns("duplicate key"),
    ),
    row(
        "an unknown profile",
        "cfssl gencert -ca ca.pem -ca-key ca-key.pem -profile nosuch leaf.json",
        Completes,
        Fails("unknown profile"),
    ),
    row(
        "an unknown profile, and a default with usages",
        "sed 's/\"default\": {/&\"usages\": [\"signing\"],/' config.json >usages.json; ${sign/config.json/usages.json} -profile Peer leaf.json",
        Completes,
        Fails("unknown profile"),
    ),
    row(
        "a request with a key of 512 bits",
        "cfssl sign -ca ca.pem -ca-key ca-key.pem tiny.csr",
        Completes,
        Fails("not a key that can be certified"),
    ),
    row(
        "a request with a weak key",
        "cfssl sign -ca ca.pem -ca-key ca-key.pem weak.csr",
        Completes,
        Fails("not a key that can be certified"),
    ),
    row(
        "a request signed with SHA-1",
        "cfssl sign -ca ca.pem -ca-key ca-key.pem sha1.csr",
        Completes,
        Fails("too weak to rely on"),
    ),
    row(
        "flags of other commands",
        "$sign -profile peer -expiry 24h -usage x leaf.json",
        OnlyLater,
        Warns("-expiry has no effect"),
    ),
    row(
        "a request with the key of another certificate",
        "cfssl gencsr -key ca-key.pem -cert leaf.pem",
        OnlyLater,
        Fails("is not the key of"),
    ),
    row(
        "a configuration that is null",
        "echo null >null.json; cfssl gencert -ca ca.pem -ca-key ca-key.pem -config null.json leaf.json",
        Panics,
        Fails("missing \"signing\" field"),
    ),
];
