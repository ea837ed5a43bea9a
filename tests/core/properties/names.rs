//! Names that are valid by construction, and text that is mostly invalid.

use std::net::{Ipv4Addr, Ipv6Addr};

use pki_core::San;
use proptest::prelude::*;

/// A label of letters, digits and inner hyphens.
fn label() -> impl Strategy<Value = String> {
    // `xn--` starts an A-label, and most random text after it is not a valid one.
    "[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?"
        .prop_filter("an A-label", |label| !label.starts_with("xn--"))
}

/// A host name. Its last label is not a number, so that it is not read as an IP address.
pub(super) fn host() -> impl Strategy<Value = String> {
    (prop::collection::vec(label(), 0..3), "[a-z]{1,8}").prop_map(|(mut labels, last)| {
        labels.push(last);
        labels.join(".")
    })
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_string()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).to_string()),
    ]
}

fn email() -> impl Strategy<Value = String> {
    let local = "[a-z0-9!#$&'*+/=?^_`{|}~-]{1,12}(\\.[a-z0-9]{1,6}){0,2}";
    (local, host()).prop_map(|(local, host)| format!("email:{local}@{host}"))
}

fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        (host(), "[a-z0-9/]{0,12}").prop_map(|(host, path)| format!("spiffe://{host}/{path}")),
        (host(), "[a-z0-9?#&]{0,12}").prop_map(|(host, path)| format!("uri:https://{host}/{path}")),
        "urn:uuid:[0-9a-f]{8}",
    ]
}

/// A name for a request, as people write it.
pub(super) fn san() -> impl Strategy<Value = San> {
    let wildcard = (label(), host()).prop_map(|(label, host)| format!("*.{label}.{host}"));
    let shouted = host().prop_map(|host| host.to_uppercase());
    prop_oneof![4 => host(), 4 => address(), 1 => wildcard, 1 => shouted, 1 => email(), 1 => uri()]
        .prop_map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// Text for every parser of names: arbitrary text, and random combinations of the parts of names.
pub(super) fn text() -> impl Strategy<Value = String> {
    let morsels = prop::sample::select(vec![
        "*",
        ".",
        "..",
        "-",
        "_",
        "@",
        "/",
        "//",
        "://",
        ":",
        "%",
        "[",
        "]",
        ",",
        " ",
        "\t",
        "\0",
        "\u{7f}",
        "\u{feff}",
        "\u{200d}",
        "\u{ad}",
        "\u{202e}",
        "ü",
        "ß",
        "İ",
        "ﬁ",
        "\u{3002}",
        "１",
        "１２７",
        "０ｘ",
        "＊",
        "＿",
        "😀",
        "例え",
        "xn--",
        "xn--mnchen-3ya",
        "xn--a",
        "a",
        "A",
        "etcd",
        "example",
        "com",
        "localhost",
        "invalid",
        "10",
        "0x7f",
        "127.0.0.1",
        "::1",
        "::ffff:10.0.0.1",
        "dns:",
        "ip:",
        "email:",
        "uri:",
        "urn:",
        "mailto:",
        "http",
        "spiffe",
        "24",
        "128",
        "2379",
        "1",
        "2",
        "999",
        "0",
        "-1",
        "+1",
        "4294967296",
        "h",
        "m",
        "s",
        "y",
    ]);
    prop_oneof![
        1 => any::<String>(),
        3 => prop::collection::vec(morsels, 0..7).prop_map(|parts| parts.concat()),
    ]
}
