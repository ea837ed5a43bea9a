//! CAs that may not or cannot sign, new CAs, and CRLs.

use super::Ours::{Fails, Warns};
use super::Theirs::{Completes, OnlyLater};
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("no CA key", "cfssl gencert -ca ca.pem leaf.json", Completes, Fails("need a CA key")),
    row(
        "no CA certificate",
        "cfssl gencert -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("need a CA certificate"),
    ),
    row("neither of both", "cfssl gencert leaf.json", Completes, Fails("need a CA certificate")),
    row(
        "sign without a CA key",
        "cfssl sign -ca ca.pem leaf.csr",
        Completes,
        Fails("need a CA key"),
    ),
    row(
        "a life below zero",
        "$sign -profile negative leaf.json",
        Completes,
        Fails("the lifetime must be positive"),
    ),
    row(
        "a leaf as CA",
        "cfssl gencert -ca leaf.pem -ca-key leaf-key.pem leaf.json",
        Completes,
        Fails("[ca-bc]"),
    ),
    row(
        "a CA that may not sign",
        "cfssl gencert -ca nosign.pem -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("[ca-keycertsign]"),
    ),
    row(
        "an expired CA",
        "cfssl gencert -ca expired.pem -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("[ca-time]"),
    ),
    row(
        "a leaf that outlives its CA",
        "$sign -profile long leaf.json",
        Completes,
        Warns("shortened to the CA's end"),
    ),
    row(
        "a name that the CA may not certify",
        "cfssl gencert -ca constrained.pem -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("[ca-name-constraints]"),
    ),
    row(
        "a weak CA",
        "cfssl gencert -ca weak.pem -ca-key weak-key.pem leaf.json",
        Completes,
        Fails("RSA key of 1024 bits"),
    ),
    row(
        "a CA on the curve P-224",
        "cfssl gencert -ca p224.pem -ca-key p224-key.pem leaf.json",
        Completes,
        Fails("is not supported"),
    ),
    row(
        "a readable key",
        "chmod 644 open-key.pem; cfssl gencert -ca ca.pem -ca-key open-key.pem leaf.json",
        Completes,
        Warns("other users can read the key"),
    ),
    row(
        "hosts of a CA",
        "echo '{\"CN\":\"a\",\"hosts\":[\"10.0.0.1\"]}' | cfssl gencert -initca -",
        Completes,
        Warns("a CA certificate has no hosts"),
    ),
    row(
        "hosts of a CA that have mistakes",
        "echo '{\"CN\":\"a\",\"hosts\":[\"*.*.example.com\",\"10.0.0.1:2379\"]}' | cfssl gencert -initca -",
        Completes,
        Warns("a CA certificate has no hosts"),
    ),
    row(
        "a root on the key of another",
        "cfssl gencert -initca -ca ca.pem -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("its key would get a second name"),
    ),
    row(
        "a CA with a life below zero",
        "echo '{\"CN\":\"a\",\"ca\":{\"expiry\":\"-1h\"}}' | cfssl gencert -initca -",
        OnlyLater,
        Fails("must be positive"),
    ),
    row(
        "a junk number",
        "echo junk >numbers; cfssl gencrl numbers ca.pem ca-key.pem",
        Completes,
        Fails("in decimal"),
    ),
    row(
        "a hexadecimal number",
        "echo 0x10 >numbers; cfssl gencrl numbers ca.pem ca-key.pem",
        Completes,
        Fails("in decimal"),
    ),
    row(
        "a number below zero",
        "echo -5 >numbers; cfssl gencrl numbers ca.pem ca-key.pem",
        Completes,
        Fails("in decimal"),
    ),
    row(
        "a number with colons",
        "echo 5A:DD >numbers; cfssl gencrl numbers ca.pem ca-key.pem",
        Completes,
        Fails("in decimal"),
    ),
    row(
        "a CRL with another key",
        "echo 7 >numbers; cfssl gencrl numbers ca.pem weak-key.pem",
        Completes,
        Fails(""),
    ),
    row(
        "a CRL of a leaf",
        "echo 7 >numbers; cfssl gencrl numbers leaf.pem leaf-key.pem",
        Completes,
        Fails("[ca-bc]"),
    ),
];
