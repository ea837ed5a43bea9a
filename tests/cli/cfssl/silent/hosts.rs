//! Names in `hosts` and `-hostname`.

use super::Ours::{Fails, Warns};
use super::Theirs::{Completes, Panics};
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row(
        "a host with a port",
        "$sign -profile peer -hostname 10.0.0.1:2379 leaf.json",
        Completes,
        Fails("with a port"),
    ),
    row(
        "a network",
        "$sign -profile peer -hostname 10.0.0.0/24 leaf.json",
        Completes,
        Fails("a network"),
    ),
    row(
        "a blank in the list",
        "$sign -profile peer -hostname 'a, 10.1.1.1' leaf.json",
        Completes,
        Fails("a space before"),
    ),
    row(
        "an empty list",
        "$sign -profile peer -hostname , leaf.json",
        Completes,
        Warns("an empty name"),
    ),
    row(
        "a wildcard alone",
        "$sign -profile peer -hostname '*' leaf.json",
        Completes,
        Fails("`*` is allowed only"),
    ),
    row(
        "an address with a zone",
        "$sign -profile peer -hostname fe80::1%eth0 leaf.json",
        Completes,
        Fails("zone"),
    ),
    row(
        "an address in brackets",
        "$sign -profile peer -hostname '[::1]' leaf.json",
        Completes,
        Fails("brackets"),
    ),
    row(
        "almost an address",
        "$sign -profile peer -hostname 256.1.1.1 leaf.json",
        Completes,
        Fails("IPv4 address"),
    ),
    row(
        "a trailing dot",
        "$sign -profile peer -hostname a.example.com. leaf.json",
        Completes,
        Fails("trailing dot"),
    ),
    row(
        "a URL",
        "$sign -profile peer -hostname https://10.0.0.1:2379 leaf.json",
        Completes,
        Fails("a URL"),
    ),
    row(
        "a name twice",
        "$sign -profile peer -hostname a,a leaf.json",
        Completes,
        Warns("the same name twice"),
    ),
    row(
        "an internationalized name",
        "$sign -profile peer -hostname münchen.de leaf.json",
        Panics,
        Warns(""),
    ),
];
