//! Names that cfssl signs as a dNSName or URI, and that no client can match.

use super::Table;
use super::openssl::{GeneralName, OpenSsl};
use crate::lab::Lab;

/// Names without a prefix, for `--san` and `hosts`.
const BARE: &[(&str, &str)] = &[
    ("empty", ""),
    ("a lone star", "*"),
    ("a star in the middle", "foo.*.com"),
    ("a star within a label", "f*.example.com"),
    ("a leading hyphen", "-a.com"),
    ("an empty label", "a..b"),
    ("a trailing dot", "a.com."),
    ("nothing but a dot", "."),
    ("an underscore", "ex_a.b"),
    ("a network", "10.0.0.0/24"),
    ("an address with a port", "10.0.0.1:2379"),
    ("a host with a port", "etcd1:2379"),
    ("an IPv6 address with a port", "[2001:db8::1]:2379"),
    ("a colon", "a:b"),
    ("a URL of an address", "https://10.0.0.1:2379"),
    ("a URL of an IPv6 address", "https://[2001:db8::1]:2379"),
    ("a URL of an international name", "http://münchen.de/"),
    ("a blank in front", " 10.0.0.1"),
    ("a blank behind", "10.0.0.1 "),
    ("a blank behind a name", "a.example "),
    ("a blank within", "a b"),
    ("two names in one string", "localhost,10.0.0.1"),
    ("two names as cfssl's -hostname takes them", "a.b, 10.1.1.1"),
    ("a leading zero", "010.0.0.1"),
    ("an octet above 255", "256.1.1.1"),
    ("three octets", "1.2.3"),
    ("a hexadecimal octet", "0x7f.1"),
    ("full-width digits", "１０.0.0.1"),
    ("brackets", "[2001:db8::1]"),
    ("a zone", "fe80::1%eth0"),
    ("a percent sign", "a%zz"),
    ("no IPv6 address", "2001:db8::zz"),
    ("a path", "/etc/passwd"),
    ("a mailbox with a display name", "Bob <bob@x.com>"),
    ("two at signs", "a@b@c"),
    ("a mailbox at an address", "user@10.0.0.1"),
    ("a control character", "a\u{1}b"),
    ("a label of 69 characters", LONG),
    ("damaged punycode", "xn--a"),
    ("OpenSSL's spelling of a kind", "DNS:etcdone"),
    ("OpenSSL's spelling of an address", "IP:10.0.0.1"),
    ("no address", "ip:foo"),
    ("an empty address", "ip:"),
    ("a network as an address", "ip:10.0.0.0/24"),
    ("a zone in an address", "ip:fe80::1%eth0"),
    ("an address as a DNS name", "dns:10.0.0.1"),
    ("an IPv6 address as a DNS name", "dns:::1"),
    ("an empty DNS name", "dns:"),
    ("a colon in a DNS name", "dns:a:b"),
    ("two stars", "dns:*.*.example.com"),
    ("a word as a URI", "uri:nothing"),
    ("an empty URI", "uri:"),
    ("a scheme alone", "uri:https://"),
    ("a host with a port as a URI", "uri:etcd1:2379"),
    ("a URI beyond ASCII", "uri:http://münchen.de/"),
    ("a broken escape in a URI", "uri:http://a/%zz"),
    ("a word as a mailbox", "email:x"),
    ("a mailbox without a user", "email:@example.com"),
    ("a mailbox without a domain", "email:a@"),
];

const LONG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn a_name_that_no_peer_matches_is_refused_as_an_argument() {
    let mut table = Table::new(Lab::with_ca(&[]));
    for (row, name) in BARE {
        table.refused(row, 2, &["issue", "--profile", "client", "api", "--san", name]);
    }
    table.snapshot("names_as_arguments");
}

#[test]
fn a_name_that_no_peer_matches_is_refused_in_a_csr_json() {
    let mut table = Table::new(Lab::with_ca(&[]));
    // JSON can contain a NUL, which an argument cannot.
    for (row, name) in BARE.iter().chain(&[("a NUL", "a\0b")]) {
        let json = serde_json::json!({ "CN": "api", "hosts": ["etcdone", name] }).to_string();
        table.refused_file(
            row,
            2,
            ("csr.json", json.as_bytes()),
            &["issue", "--profile", "client", "--csr-json", "csr.json"],
        );
    }
    table.snapshot("names_in_csr_json");
}

#[test]
fn a_name_that_no_peer_matches_is_refused_in_a_request() {
    use GeneralName::{Dns, Email, Ip, RegisteredId, Uri};
    let lab = Lab::with_ca(&[]);
    let openssl = OpenSsl::in_lab(&lab);
    openssl.key("csr.key", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let rows = [
        ("empty", Dns(b"")),
        ("a lone star", Dns(b"*")),
        ("a star in the middle", Dns(b"foo.*.com")),
        ("a leading hyphen", Dns(b"-a.com")),
        ("an empty label", Dns(b"a..b")),
        ("a trailing dot", Dns(b"a.com.")),
        ("an underscore", Dns(b"ex_a.b")),
        ("a network", Dns(b"10.0.0.0/24")),
        ("an address", Dns(b"10.0.0.1")),
        ("an address with a port", Dns(b"10.0.0.1:2379")),
        ("a host with a port", Dns(b"etcd1:2379")),
        ("a blank in front", Dns(b" 10.0.0.1")),
        ("a blank within", Dns(b"a b")),
        ("two names in one string", Dns(b"localhost,10.0.0.1")),
        ("a leading zero", Dns(b"010.0.0.1")),
        ("brackets", Dns(b"[2001:db8::1]")),
        ("a label of 69 characters", Dns(LONG.as_bytes())),
        ("a NUL", Dns(b"a\0b")),
        // How cfssl encodes `*`, `etcd1:2379`, a zone and a path.
        ("a star as a URI", Uri(b"*")),
        ("a host with a port as a URI", Uri(b"etcd1:2379")),
        ("a zone as a URI", Uri(b"fe80::1%eth0")),
        ("a path as a URI", Uri(b"/etc/passwd")),
        ("an empty URI", Uri(b"")),
        ("an address of 5 octets", Ip(&[10, 0, 0, 1, 2])),
        ("no address", Ip(b"")),
        ("a mailbox without a domain", Email(b"x")),
        ("a kind that etcd does not know", RegisteredId(&[0x2a, 0x03])),
    ];
    let mut requests = Vec::new();
    for (row, name) in rows {
        requests.push((row, openssl.request("csr.key", &["-addext", &name.san()])));
    }
    let mut table = Table::new(lab);
    for (row, request) in requests {
        table.refused_file(
            row,
            2,
            ("api.csr", &request),
            &["issue", "--profile", "client", "--csr", "api.csr", "api"],
        );
    }
    table.snapshot("names_in_a_request");
}

#[test]
fn names_that_crash_or_confuse_cfssl_are_issued() {
    let lab = Lab::with_ca(&[]);
    for (number, (name, wanted)) in [
        ("münchen.de", "dns:xn--mnchen-3ya.de"),
        ("user@münchen.de", "email:user@xn--mnchen-3ya.de"),
        ("::ffff:10.0.0.1", "ip:10.0.0.1"),
        ("2001:DB8::1", "ip:2001:db8::1"),
        ("EXAMPLE.com", "dns:example.com"),
        ("*.etcd.local", "dns:*.etcd.local"),
        ("spiffe://td/x", "uri:spiffe://td/x"),
    ]
    .into_iter()
    .enumerate()
    {
        let base = format!("c{number}");
        let out = lab.ok(&["issue", "--profile", "client", &base, "--san", name]);
        assert!(out.contains(&format!(".invalid, {wanted}\n")), "{name}: {out}");
    }
}

#[test]
fn a_name_that_is_given_twice_is_written_once() {
    let lab = Lab::with_ca(&[]);
    let out = lab.ok(&["issue", "--profile", "server", "a", "--san", "a", "--san", "A"]);
    assert!(out.contains("  names   dns:a, dns:localhost, ip:127.0.0.1\n"), "{out}");
}
