//! Configurations and CSR files with rare features.

use serde_json::{Map, Value, json};

use super::super::cases::config_of;
use super::super::random::Random;

/// Every string of cfssl that means a usage.
const USAGES: &[&str] = &[
    "signing",
    "digital signature",
    "content commitment",
    "key encipherment",
    "data encipherment",
    "key agreement",
    "cert sign",
    "crl sign",
    "encipher only",
    "decipher only",
    "any",
    "server auth",
    "client auth",
    "code signing",
    "email protection",
    "s/mime",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "timestamping",
    "ocsp signing",
    "microsoft sgc",
    "netscape sgc",
];

const HOSTS: &[&[&str]] = &[
    &["user@example.com", "etcd1"],
    &["Bob <bob@example.com>", "10.0.0.1"],
    &["UPPER.Example.Com"],
    &["a.example.com", "A.example.com"],
    &["::1", "0:0:0:0:0:0:0:1"],
    &["2001:DB8::A", "fe80::1", "::"],
    &["1.2.3.4", "::ffff:1.2.3.4"],
    &["xn--mnchen-3ya.de"],
    &["*.example.com", "*.etcd.local"],
    &["a_b.example.com", "_etcd-server._tcp.example.com"],
    &["0.0.0.0", "255.255.255.255"],
    &["10.0.0.1", "etcd1", "10.0.0.2", "user@example.com", "etcd2"],
    &["1a.example.com", "3com.example"],
    &["LOCALHOST", "localhost"],
    &["", "etcd1"],
    &["etcd1", "", ""],
    // Nobody can use these.
    &["-a.example.com"],
    &["a..b"],
    &["a.example.com."],
    &[" a.example.com"],
    &["10.0.0.1 "],
    &["256.1.1.1"],
    &["[::1]"],
    &["foo.*.com"],
    &["a b"],
];

const EXPIRIES: &[&str] = &[
    "24h",
    "1h30m",
    "8760h0m0s",
    "0.5h",
    "1.5h",
    "90m",
    "86400s",
    "3600000ms",
    "+24h",
    ".5h",
    "2h1h",
    "1h1us",
    "10000h",
    "0",
    "0h",
    "",
    "1",
    "1d",
    "1 h",
    "H",
    "-24h",
    "1y",
];

fn usages(random: &mut Random) -> Value {
    let mut usages = vec!["signing"];
    for _ in 0..=random.below(5) {
        usages.push(random.one_of(USAGES));
    }
    if random.percent(5) {
        // 1.2 does not know "content commitment", and refuses a profile without any other.
        usages = vec![random.one_of(&USAGES[3..])];
    }
    json!(usages)
}

fn profile(random: &mut Random) -> Map<String, Value> {
    let mut profile = Map::new();
    let mut put = |key: &str, value: Value| {
        profile.insert(key.to_owned(), value);
    };
    put("usages", usages(random));
    put("expiry", json!(if random.percent(60) { "720h" } else { random.one_of(EXPIRIES) }));
    if random.percent(12) {
        put("backdate", json!(random.one_of(&["1h", "30s", "0s", "0", "90m", "24h", "1m"])));
    }
    if random.percent(8) {
        put(
            "not_before",
            json!(random.one_of(&["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00"])),
        );
    }
    if random.percent(8) {
        put(
            "not_after",
            json!(random.one_of(&["2028-01-02T03:04:05Z", "2028-06-01T00:00:00-05:00"])),
        );
    }
    if random.percent(15) {
        put("crl_url", json!(random.one_of(&["http://crl.example.com/ca.crl", ""])));
    }
    if random.percent(15) {
        put("ocsp_url", json!(random.one_of(&["http://ocsp.example.com", ""])));
    }
    if random.percent(15) {
        let urls = [
            json!(["http://a.example.com/ca.pem"]),
            json!(["http://a.example.com/ca.pem", "http://b.example.com/ca.pem"]),
            json!([]),
        ];
        put("issuer_urls", random.one_of(&urls));
    }
    if random.percent(8) {
        put("ocsp_no_check", json!(random.percent(70)));
    }
    if random.percent(10) {
        let patterns = ["^etcd", r"\.example\.com$", ".*", "", "^(etcd|a)[a-z0-9.]*$", "example"];
        put("name_whitelist", json!(random.one_of(&patterns)));
    }
    if random.percent(8) {
        let policies = [
            json!([{"ID": "1.2.3.4"}]),
            json!([{"ID": "1.2.3.4"}, {"ID": "2.23.140.1.2.1"}]),
            json!([{"ID": "1.2.3.4", "Qualifiers": [
                {"Type": "id-qt-cps", "Value": "http://example.com/cps"},
                {"Type": "id-qt-unotice", "Value": "Do not trust"}]}]),
            json!([]),
        ];
        put("policies", random.one_of(&policies));
    }
    if random.percent(6) {
        let mut list = Map::new();
        for field in ["Subject", "PublicKeyAlgorithm", "PublicKey", "SignatureAlgorithm"] {
            list.insert(field.to_owned(), json!(true));
        }
        for field in ["Subject", "DNSNames", "IPAddresses", "EmailAddresses"] {
            list.insert(field.to_owned(), json!(random.percent(60)));
        }
        put("CSRWhitelist", Value::Object(list));
    }
    if random.percent(12) {
        let constraints = [
            json!({"is_ca": true}),
            json!({"is_ca": true, "max_path_len": 0}),
            json!({"is_ca": true, "max_path_len": -1}),
            json!({"is_ca": true, "max_path_len": 3}),
            json!({"is_ca": true, "max_path_len": 0, "max_path_len_zero": true}),
            json!({"is_ca": true, "max_path_len": 2, "max_path_len_zero": true}),
            json!({"is_ca": false, "max_path_len": 2}),
            json!({"is_ca": false}),
            json!({}),
        ];
        put("ca_constraint", random.one_of(&constraints));
        if random.percent(70) {
            put("usages", json!(["cert sign", "crl sign", "signing"]));
        }
    }
    if random.percent(4) {
        put("cert_store", json!("/tmp/x"));
    }
    if random.percent(4) {
        put("allowed_extensions", json!(["1.2.3.4"]));
    }
    profile
}

pub(super) fn config(random: &mut Random) -> String {
    let mut default = Map::new();
    match random.below(10) {
        0..2 => {}
        2..5 => drop(default.insert("expiry".to_owned(), json!("168h"))),
        5..7 => default = profile(random),
        _ => {
            default.insert("expiry".to_owned(), json!("48h"));
            default.insert("usages".to_owned(), json!(["signing", "client auth"]));
            default.insert("crl_url".to_owned(), json!("http://d.example.com/d.crl"));
            default.insert("ocsp_url".to_owned(), json!("http://d.example.com/ocsp"));
            default.insert("issuer_urls".to_owned(), json!(["http://d.example.com/d.pem"]));
        }
    }
    config_of(Some(&default).filter(|default| !default.is_empty()), &profile(random))
}

fn names(random: &mut Random) -> Value {
    let lists = [
        json!([{"O": "a"}, {"O": "b"}]),
        json!([{"O": "b", "OU": "1"}, {"O": "a", "OU": "2"}, {"OU": "3"}]),
        json!([{"C": "DE"}, {"C": "US"}]),
        json!([{"C": "de", "ST": "Baden-Württemberg", "L": "Köln", "O": "Müller & Söhne"}]),
        json!([{"O": "a*b", "OU": "a@b"}, {"L": "a_b"}]),
        json!([{"O": "Ä", "OU": "日本"}]),
        json!([{"C": "", "ST": "", "L": "", "O": "", "OU": ""}]),
        json!([{"O": " leading"}, {"O": "trailing "}]),
        json!([{"SerialNumber": "1", "O": "x"}]),
        json!([{"c": "US", "o": "lower case keys", "Ou": "x"}]),
        json!([{"O": "O'Neill (Ltd.), a+b=c?/:-"}]),
        json!([{"O": "x".repeat(64), "OU": "y".repeat(64)}]),
        json!([{"ST": "s", "L": "l"}]),
        json!([]),
    ];
    random.one_of(&lists)
}

fn key(random: &mut Random) -> Option<Value> {
    random.weighted(&[
        (40, Some(json!({"algo": "ecdsa", "size": 256}))),
        (15, Some(json!({"algo": "ecdsa", "size": 384}))),
        (10, Some(json!({"algo": "ecdsa", "size": 521}))),
        (6, Some(json!({"algo": "rsa", "size": 2048}))),
        (1, Some(json!({"algo": "rsa", "size": 3072}))),
        (1, Some(json!({"algo": "rsa"}))),
        (1, Some(json!({"algo": "ecdsa"}))),
        (1, Some(json!({"size": 384}))),
        (1, Some(json!({"algo": "ecdsa", "size": 255}))),
        (1, Some(json!({"algo": "dsa", "size": 2048}))),
        (1, Some(json!({"algo": "", "size": 0}))),
        (2, Some(json!({}))),
        (2, Some(Value::Null)),
        (9, None),
    ])
}

pub(super) fn csr(random: &mut Random) -> Map<String, Value> {
    let mut csr = Map::new();
    let cn = random.one_of(&[
        "etcd",
        "etcd1.example.com",
        "a.example.com",
        "system:node:n1",
        "with space",
        "Ünïcode",
        "10.0.0.1",
        "*.example.com",
        "a/b=c",
        "user@example.com",
    ]);
    if !random.percent(8) {
        csr.insert("CN".to_owned(), json!(cn));
    }
    if random.percent(75) {
        csr.insert("hosts".to_owned(), json!(random.one_of(HOSTS)));
    }
    csr.extend(key(random).map(|key| ("key".to_owned(), key)));
    if random.percent(60) {
        csr.insert("names".to_owned(), names(random));
    }
    if random.percent(5) {
        csr.insert("serialnumber".to_owned(), json!(random.one_of(&["7", "a-b", ""])));
    }
    csr
}
