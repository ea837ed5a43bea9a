//! Subject alternative names of every kind, URIs of every form.

use super::{Fields, OIDS, critical, put, tlv};
use crate::der::Node;
use crate::differential::go::chains::Pool;
use crate::differential::judges::HOST;
use crate::differential::random::Random;

const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];

pub(crate) const DNS: &[&str] = &[
    HOST,
    "HOST.EXAMPLE.COM",
    "*.example.com",
    "*.EXAMPLE.com",
    "*.com",
    "*",
    "*.*.com",
    "h*.example.com",
    "*t.example.com",
    "host.*.com",
    "host.example.*",
    "host.example.com.",
    ".example.com",
    "host..example.com",
    "under_score.example.com",
    "_host.example.com",
    "host_.example.com",
    "_srv._tcp.example.com",
    "-host.example.com",
    "host-.example.com",
    "host.-example.com",
    "a",
    "1",
    "1.2.3",
    "host.example.123",
    "0x7f.1",
    "192.0.2.1",
    "::1",
    "2001:db8::1",
    "xn--mnchen-3ya.de",
    "xn--",
    "*.xn--a.example.com",
    "münchen.de",
    "",
    ".",
    " ",
    " host.example.com",
    "host example.com",
    "host\n.example.com",
    "host\0.example.com",
    "host,example.com",
    "host/x.example.com",
    "host.example.com:2379",
    "user@example.com",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com",
    "other.org",
    "example.com",
    "localhost",
];

pub(crate) const EMAILS: &[&str] = &[
    "user@example.com",
    "USER@example.com",
    "user@EXAMPLE.com",
    "user@host.example.com",
    "user@localhost",
    "user+tag@example.com",
    ".user@example.com",
    "us..er@example.com",
    "\"a b\"@example.com",
    "us er@example.com",
    "user@exa mple.com",
    "user@-example.com",
    "user@.example.com",
    "user@example.com.",
    "user@[192.0.2.1]",
    "User <user@example.com>",
    "<user@example.com>",
    "a@b@c",
    "user",
    "user@",
    "@example.com",
    "*@example.com",
    "user@*.example.com",
    "us\\er@example.com",
    "usér@example.com",
    "",
    "user@other.org",
];

pub(crate) const URIS: &[&str] = &[
    "https://host.example.com:2379/",
    "https://host.example.com/",
    "https://HOST.example.com/",
    "https://example.com/",
    "https://other.org/",
    "https://host.example.com:port/",
    "https://host.example.com:/",
    "https://host.example.com:99999/",
    "https://host.example.com:-1/",
    "https://host.example.com./",
    "https://host.example.com.:80/",
    "https://a..b/",
    "http://.example.com/",
    "http://exa_mple.com/",
    "http://-x.com/",
    "http://*.example.com/",
    "http://:80/",
    "http://",
    "http:///path",
    "x:///",
    "x://",
    "x:",
    "://",
    "//host.example.com/",
    "no scheme",
    "host.example.com:2379",
    "1http://x/",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "mailto:user@example.com",
    "javascript:alert(1)",
    "spiffe://td.example.com/x",
    "spiffe://td[/x",
    "https://192.0.2.1/",
    "https://[2001:db8::1]/",
    "https://[2001:db8::1]:2379/",
    "https://[::1",
    "https://::1/",
    "https://[::1]x/",
    "https://[::1]:x/",
    "https://x[::1]/",
    "https://[192.0.2.1]/",
    "https://[::ffff:192.0.2.1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[fe80::1%2525]/",
    "http://[v1.x]/",
    "http://a:b:c/",
    "etcd://a:b:80/",
    "etcd://host,other/",
    "http://host%41.example.com/",
    "http://host%c3%a9.example.com/",
    "http://host%25.example.com/",
    "http://host.example.com/%",
    "http://host.example.com/%zz",
    "http://host.example.com/%41",
    "http://host.example.com?q=%",
    "http://host.example.com#f%",
    "http://host.example.com#f#g",
    "http://host.example.com?q",
    "http://host.example.com/a b",
    "http://host.example.com/<>",
    "http://host.example.com/\"",
    "http://host.example.com/\\",
    "http://host.example.com/|",
    "http://host.example.com/\u{7f}",
    "http://host.example.com/\n",
    "http://host.example.com/é",
    "http://user@host.example.com/",
    "http://user:pa ss@host.example.com/",
    "http://us[er@host.example.com/",
    "http://us%zzer@host.example.com/",
    "http://a@b@host.example.com/",
    "http://(x)/",
    "http://x;y/",
    "*",
    "",
];

/// A name of any kind, with its tag.
fn name(random: &mut Random) -> (u8, Vec<u8>) {
    match random.below(12) {
        0..4 => (0x82, random.one_of(DNS).into()),
        4 | 5 => (0x81, random.one_of(EMAILS).into()),
        6 | 7 => (0x86, random.one_of(URIS).into()),
        8 | 9 => {
            let addresses: [&[u8]; 11] = [
                &[192, 0, 2, 1],
                &[10, 0, 0, 1],
                &[0; 4],
                &[255; 4],
                &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1],
                &[0; 16],
                &[192, 0, 2],
                &[192, 0, 2, 0, 255, 255, 255, 0],
                &[7; 32],
                &[],
            ];
            (0x87, random.one_of(&addresses).to_vec())
        }
        10 => {
            let others: [(u8, Vec<u8>); 8] = [
                (0xa0, [tlv(0x06, random.one_of(&OIDS)), tlv(0xa0, &tlv(0x0c, b"x"))].concat()),
                (0xa0, [tlv(0x06, &[0x2a, 3]), tlv(0x80, b"x")].concat()),
                (0xa3, tlv(0x30, &[])),
                (0xa4, tlv(0x30, &[])),
                (
                    0xa4,
                    tlv(
                        0x30,
                        &tlv(
                            0x31,
                            &tlv(0x30, &[tlv(0x06, &[0x55, 4, 3]), tlv(0x0c, b"x")].concat()),
                        ),
                    ),
                ),
                (0xa5, tlv(0xa1, &tlv(0x0c, b"x"))),
                (0x88, random.one_of(&OIDS).to_vec()),
                (0x89, b"x".to_vec()),
            ];
            random.one_of(&others)
        }
        // Of another form: constructed, or of a class that names do not have.
        _ => (
            random.one_of(&[0xa1, 0xa2, 0xa6, 0xa7, 0x84, 0x80, 0x0c, 0x42]),
            tlv(0x16, HOST.as_bytes()),
        ),
    }
}

pub(crate) fn names(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let mut names: Vec<Node> = Vec::new();
    for _ in 0..random.below(3) {
        let (tag, octets) = name(random);
        names.push(Node { tag, body: crate::der::Body::Octets(octets) });
    }
    if random.flag() {
        names.push(Node::octets(0x82, HOST));
    }
    write(fields, &names, random)
}

pub(super) fn uris(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let names = [Node::octets(0x82, HOST), Node::octets(0x86, random.one_of(URIS))];
    write(fields, &names, random)
}

fn write(fields: &mut Fields, names: &[Node], random: &mut Random) -> String {
    let mut value = tlv(0x30, &names.iter().flat_map(Node::write).collect::<Vec<_>>());
    match random.below(24) {
        0 => value.extend([0x05, 0x00]),
        1 => value[0] = 0x31,
        _ => {}
    }
    put(fields, SUBJECT_ALT_NAME, critical(random), &value);
    value.escape_ascii().to_string()
}
