//! Output that cannot be written, and what `cfssljson` cannot use.

use super::Ours::Fails;
use super::Theirs::{Completes, Panics};
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row(
        "a full disk behind the pipe",
        "$sign -profile peer leaf.json >/dev/full",
        Completes,
        Fails("No space left"),
    ),
    row(
        "a full disk behind cfssljson",
        "cfssl genkey leaf.json | cfssljson -bare -stdout >/dev/full",
        Completes,
        Fails("No space left"),
    ),
    row(
        "cfssljson with an empty object",
        "echo '{}' | cfssljson -bare x",
        Completes,
        Fails("no certificate, key or request"),
    ),
    row(
        "cfssljson with an API answer",
        "echo '{\"success\":false,\"errors\":[{\"message\":\"no\"}]}' | cfssljson -bare x",
        Completes,
        Fails("Request failed"),
    ),
    row(
        "cfssljson with null",
        "echo null | cfssljson -bare x",
        Completes,
        Fails("not what cfssl prints"),
    ),
    row(
        "cfssljson with an empty certificate",
        "echo '{\"cert\":\"\"}' | cfssljson -bare x",
        Completes,
        Fails("no PEM where a certificate belongs"),
    ),
    row(
        "cfssljson with success and no result",
        "echo '{\"success\":true}' | cfssljson -bare x",
        Completes,
        Fails("-bare does not open"),
    ),
    row(
        "cfssljson with the answer of bundle",
        "echo '{\"bundle\":\"x\",\"crt\":\"x\",\"root\":\"x\"}' | cfssljson -bare x",
        Completes,
        Fails("not what cfssl prints"),
    ),
    row(
        "cfssljson with no PEM",
        "echo '{\"cert\":\"not a pem\"}' | cfssljson -bare x",
        Completes,
        Fails("no PEM"),
    ),
    row(
        "cfssljson with a number",
        "echo '{\"cert\":1}' | cfssljson -bare x",
        Panics,
        Fails("invalid type"),
    ),
];
