//! The two kinds of JSON document that cfssl reads: valid documents, and the error for each invalid one.
//!
//! The errors are in `snapshots/` with their documents. After you change a message, run the tests with
//! `INSTA_UPDATE=always` and read the diff.

use std::fmt::Write as _;

use pki_core::{CsrJson, Error, SigningConfig};

/// Each document with its error and hint. A document that is accepted fails the test.
fn refusals<T>(documents: &[&str], read: impl Fn(&[u8]) -> Result<T, Error>) -> String {
    let mut text = String::new();
    for document in documents {
        let Err(error) = read(document.as_bytes()) else {
            panic!("{document} was taken");
        };
        assert!(!matches!(error, Error::Internal(_)), "{document}: {error}");
        let hint = error.hint().unwrap_or("(no hint)");
        writeln!(text, "{document}\n    {error}\n    {hint}").unwrap();
    }
    text
}

#[test]
fn what_is_not_a_signing_configuration_says_why() {
    let refusals = refusals(
        &[
            "",
            "null",
            "[]",
            "{}",
            "{",
            "\u{feff}{}",
            r#"{"signing": {}} x"#,
            r#"{"signing": {},}"#,
            r#"{"signing": null}"#,
            r#"{"signing": []}"#,
            r#"{"singing": {}}"#,
            r#"{"signing": {"profile": {}}}"#,
            r#"{"signing": {}, "Signing": {}}"#,
            r#"{"signing": {}, "auth_keys": {"k": {"type": "standard", "key": "00"}}}"#,
            r#"{"signing": {}, "remotes": {"r": "ca.example.com:8888"}}"#,
            r#"{"signing": {"profiles": {"p": {}, "p": {}}}}"#,
            r#"{"signing": {"default": {"expiry": "1h", "Expiry": "2h"}}}"#,
        ],
        SigningConfig::from_json,
    );
    insta::assert_snapshot!(refusals);
}

#[test]
fn what_is_not_a_profile_says_why() {
    let profiles = [
        // a field that cfssl ignores
        r#""usage": ["signing"]"#,
        r#""expirey": "1h""#,
        r#""bogus": 1"#,
        r#""usages": ["signing"], "is_ca": true"#,
        // usages
        r#""expiry": "1h""#,
        r#""usages": []"#,
        r#""usages": "signing""#,
        r#""usages": [1]"#,
        r#""usages": ["serverAuth", "signing"]"#,
        r#""usages": ["Server Auth"]"#,
        r#""usages": ["keyEncipherment"]"#,
        r#""usages": ["1.3.6.1.5.5.7.3.1"]"#,
        r#""usages": ["cert sign"]"#,
        r#""usages": ["signing"], "ca_constraint": {"is_ca": true}"#,
        // times
        r#""usages": ["signing"], "expiry": 8760"#,
        r#""usages": ["signing"], "expiry": "8760""#,
        r#""usages": ["signing"], "expiry": "1month""#,
        r#""usages": ["signing"], "expiry": "-1h""#,
        r#""usages": ["signing"], "expiry": "99999y""#,
        r#""usages": ["signing"], "backdate": "-1s""#,
        r#""usages": ["signing"], "not_before": "2027-01-01""#,
        r#""usages": ["signing"], "not_after": "tomorrow""#,
        r#""usages": ["signing"], "not_after": "9999-12-31T23:59:59-01:00""#,
        r#""usages": ["signing"], "not_before": "2028-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z""#,
        // a CA
        r#""usages": ["cert sign"], "ca_constraint": true"#,
        r#""usages": ["cert sign"], "ca_constraint": {"is_ca": 1}"#,
        r#""usages": ["cert sign"], "ca_constraint": {"is_ca": true, "max_path_len": -2}"#,
        r#""usages": ["cert sign"], "ca_constraint": {"is_ca": true, "max_path_len": 256}"#,
        r#""usages": ["cert sign"], "ca_constraint": {"is_ca": true, "max_path_len": 1.5}"#,
        r#""usages": ["cert sign"], "ca_constraint": {"is_ca": true, "max_path_len": 1, "max_path_len_zero": true}"#,
        r#""usages": ["cert sign"], "ca_constraint": {"isCA": true}"#,
        // URLs, policies
        r#""usages": ["signing"], "crl_url": "crl.example.com""#,
        r#""usages": ["signing"], "ocsp_url": "http://""#,
        r#""usages": ["signing"], "issuer_urls": "http://ca""#,
        r#""usages": ["signing"], "issuer_urls": ["http://ca", "http://c a"]"#,
        r#""usages": ["signing"], "Policies": [{}]"#,
        r#""usages": ["signing"], "Policies": [{"ID": "9.9.9"}]"#,
        r#""usages": ["signing"], "Policies": [{"ID": "1.2.3"}, {"ID": "1.2.4"}, {"ID": "1.2.3"}]"#,
        r#""usages": ["signing"], "Policies": [{"ID": "1.2.3", "Qualifiers": [{"Value": "x"}]}]"#,
        r#""usages": ["signing"], "Policies": [{"ID": "1.2.3", "Qualifiers": [{"Type": "cps", "Value": "x"}]}]"#,
        r#""usages": ["signing"], "Policies": [{"ID": "1.2.3", "Qualifiers": [{"Type": "id-qt-cps", "Value": "x"}]}]"#,
        r#""usages": ["signing"], "Policies": [{"ID": "1.2.3", "Qualifiers": [{"Type": "id-qt-unotice", "Value": ""}]}]"#,
        // what a request may contain
        r#""usages": ["signing"], "name_whitelist": "(""#,
        r#""usages": ["signing"], "allowed_extensions": ["1.2.3"]"#,
        r#""usages": ["signing"], "copy_extensions": true, "allowed_extensions": ["keyUsage"]"#,
        r#""usages": ["signing"], "copy_extensions": "true""#,
        r#""usages": ["signing"], "CSRWhitelist": {"Subject": true}"#,
        r#""usages": ["signing"], "CSRWhitelist": {"PublicKey": true, "DNSName": true}"#,
        // options of cfssl's server and linter
        r#""usages": ["signing"], "auth_key": "k""#,
        r#""usages": ["signing"], "remote": "r""#,
        r#""usages": ["signing"], "ct_log_servers": ["http://ct"]"#,
        r#""usages": ["signing"], "lint_error_level": "error""#,
        r#""usages": ["signing"], "ClientProvidesSerialNumbers": true"#,
    ];
    let within = |members: &[u8]| {
        let members = String::from_utf8(members.to_vec()).unwrap();
        let default = r#""default": {"expiry": "1h"}"#;
        let document =
            format!(r#"{{"signing": {{{default}, "profiles": {{"p": {{{members}}}}}}}}}"#);
        SigningConfig::from_json(document.as_bytes())
    };
    let refusals = refusals(&profiles, within);
    insta::assert_snapshot!(refusals);
    // Without a default there is nothing to inherit.
    let orphan = br#"{"signing": {"profiles": {"p": {"usages": ["signing"], "expiry": "0"}}}}"#;
    let error = SigningConfig::from_json(orphan).unwrap_err();
    assert!(error.to_string().contains("\"expiry\""), "{error}");
}

/// A CSR JSON document in one line.
fn described(document: &CsrJson) -> String {
    let names: Vec<_> = document.names.iter().map(ToString::to_string).collect();
    let ca = document.ca.as_ref().map_or_else(String::new, |ca| {
        let path_len = ca.path_len.map_or("open".to_owned(), |length| length.to_string());
        format!(" | CA for {}, backdate {:?}, path {path_len}", ca.expiry, ca.backdate)
    });
    let crl =
        document.crl_url.as_ref().map_or_else(String::new, |url| format!(" | {}", url.as_str()));
    format!("{} | {} | {}{ca}{crl}", document.subject, names.join(" "), document.key)
}

#[test]
fn a_csr_json_is_read_as_cfssl_reads_it() {
    for (document, wanted) in [
        ("{}", " |  | ecdsa-p256"),
        (
            r#"{"CN": "etcd", "hosts": [], "key": {}, "names": null, "ca": null}"#,
            "CN=etcd |  | ecdsa-p256",
        ),
        // The order is that of cfssl, not that of the document.
        (
            r#"{"names": [{"O": "Lab", "OU": "x", "L": "y", "ST": "z", "C": "DE"}], "CN": "etcd", "serialnumber": "7"}"#,
            "C=DE, ST=z, L=y, O=Lab, OU=x, CN=etcd, serialNumber=7 |  | ecdsa-p256",
        ),
        (
            r#"{"CN": "a", "names": [{"O": ""}, {"C": "DE"}, {"OU": "u", "E": "a@b.c", "SerialNumber": "7"}]}"#,
            "C=DE, OU=u, CN=a, serialNumber=7, E=a@b.c |  | ecdsa-p256",
        ),
        (
            r#"{"names": [{"OID": {"2.5.4.9": "Weg 1", "1.2.3": "b", "2.5.4.3": "etcd", "0.9.2342.19200300.100.1.25": "com"}}]}"#,
            "street=Weg 1, CN=etcd, DC=com, 1.2.3=b |  | ecdsa-p256",
        ),
        (
            r#"{"CN": "a", "hosts": ["etcdone", "10.0.0.1", "::FFFF:10.0.0.2", "MÜNCHEN.de", "a@b.c", "spiffe://td/x"]}"#,
            "CN=a | dns:etcdone ip:10.0.0.1 ip:10.0.0.2 dns:xn--mnchen-3ya.de email:a@b.c uri:spiffe://td/x | ecdsa-p256",
        ),
        (r#"{"key": {"algo": "ecdsa", "size": 384}}"#, " |  | ecdsa-p384"),
        (r#"{"key": {"size": 521}}"#, " |  | ecdsa-p521"),
        (r#"{"key": {"algo": "ed25519", "size": 1}}"#, " |  | ed25519"),
        (r#"{"key": {"algo": "rsa", "size": 3072}}"#, " |  | rsa-3072"),
        (r#"{"ca": {}}"#, " |  | ecdsa-p256 | CA for 1825d, backdate None, path open"),
        (
            r#"{"ca": {"expiry": "", "pathlen": 0}}"#,
            " |  | ecdsa-p256 | CA for 1825d, backdate None, path open",
        ),
        (
            r#"{"ca": {"expiry": "87600h", "pathlen": -1}}"#,
            " |  | ecdsa-p256 | CA for 3650d, backdate None, path open",
        ),
        (
            r#"{"ca": {"pathlenzero": true}}"#,
            " |  | ecdsa-p256 | CA for 1825d, backdate None, path 0",
        ),
        (
            r#"{"ca": {"pathlen": 2}, "crl_url": "http://crl"}"#,
            " |  | ecdsa-p256 | CA for 1825d, backdate None, path 2 | http://crl",
        ),
        (
            r#"{"cn": "a", "HOSTS": ["b"], "Key": {"ALGO": "rsa", "Size": 2048}}"#,
            "CN=a | dns:b | rsa-2048",
        ),
        // Empty values are not a mistake.
        (
            r#"{"CN": "a", "extensions": [], "delegation_enabled": false, "usages": null, "expiry": ""}"#,
            "CN=a |  | ecdsa-p256",
        ),
    ] {
        let read = CsrJson::from_json(document.as_bytes());
        let read = read.unwrap_or_else(|error| panic!("{document}: {error}"));
        assert_eq!(described(&read), wanted, "{document}");
    }
}

#[test]
fn what_is_not_a_csr_json_says_why() {
    let refusals = refusals(
        &[
            "null",
            r#"{"CN": 1}"#,
            r#"{"CN": "a", "cn": "b"}"#,
            r#"{"CommonName": "a"}"#,
            r#"{"host": ["a"]}"#,
            r#"{"CN": " a"}"#,
            r#"{"CN": "a\u0000b"}"#,
            r#"{"CN": "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffx"}"#,
            // names
            r#"{"names": {"O": "Lab"}}"#,
            r#"{"names": [{"O": "a"}, {"O": "a"}]}"#,
            r#"{"names": [{"OU": "Org Unit 1", "OU": "Org Unit 2"}]}"#,
            r#"{"names": [{"C": "Germany"}]}"#,
            r#"{"names": [{"Org": "Lab"}]}"#,
            r#"{"names": [{"E": "ä@example.com"}]}"#,
            r#"{"names": [{"OID": {"9.9.9": "x"}}]}"#,
            r#"{"CN": "a", "names": [{"OID": {"2.5.4.3": "b"}}]}"#,
            r#"{"serialnumber": 7}"#,
            // hosts: cfssl 1.6.5 signs each of these, and none matches any host
            r#"{"hosts": "etcdone"}"#,
            r#"{"hosts": ["etcdone", 1]}"#,
            r#"{"hosts": [""]}"#,
            r#"{"hosts": ["*"]}"#,
            r#"{"hosts": ["10.0.0.0/24"]}"#,
            r#"{"hosts": ["10.0.0.1:2379"]}"#,
            r#"{"hosts": ["etcd1:2379"]}"#,
            r#"{"hosts": ["https://10.0.0.1:2379"]}"#,
            r#"{"hosts": [" 10.0.0.1"]}"#,
            r#"{"hosts": ["localhost,10.0.0.1"]}"#,
            r#"{"hosts": ["010.0.0.1"]}"#,
            r#"{"hosts": ["256.1.1.1"]}"#,
            // full-width digits and dots, which IDNA converts to ASCII
            r#"{"hosts": ["１２７.0.0.1"]}"#,
            r#"{"hosts": ["10.0.0.１"]}"#,
            r#"{"hosts": ["10。００。0。１"]}"#,
            r#"{"hosts": ["host.１"]}"#,
            r#"{"hosts": ["0x7f.1"]}"#,
            r#"{"hosts": ["[2001:db8::1]"]}"#,
            r#"{"hosts": ["fe80::1%eth0"]}"#,
            r#"{"hosts": ["/etc/passwd"]}"#,
            r#"{"hosts": ["foo.*.com"]}"#,
            r#"{"hosts": ["-a.com"]}"#,
            r#"{"hosts": ["a..b"]}"#,
            r#"{"hosts": ["a.com."]}"#,
            r#"{"hosts": ["ex_a.b"]}"#,
            r#"{"hosts": ["a b"]}"#,
            r#"{"hosts": ["Bob <bob@x.com>"]}"#,
            // key
            r#"{"key": "rsa"}"#,
            r#"{"key": {"algo": "RSA", "size": 2048}}"#,
            r#"{"key": {"algo": "rsa"}}"#,
            r#"{"key": {"algo": "rsa", "size": 1024}}"#,
            r#"{"key": {"algo": "rsa", "size": 2049}}"#,
            r#"{"key": {"algo": "ecdsa", "size": 224}}"#,
            r#"{"key": {"algo": "rsa", "size": "2048"}}"#,
            // ca
            r#"{"ca": {"expiry": "10 years"}}"#,
            r#"{"ca": {"expirey": "10y"}}"#,
            r#"{"ca": {"pathlen": -2}}"#,
            r#"{"ca": {"pathlen": 256}}"#,
            r#"{"ca": {"pathlen": 2, "pathlenzero": true}}"#,
            r#"{"crl_url": "crl"}"#,
            // mistakes that cfssl ignores
            r#"{"delegation_enabled": true}"#,
            r#"{"extensions": [{"Id": [1, 2, 3]}]}"#,
            r#"{"expiry": "1y"}"#,
            r#"{"not_after": "2030-01-01T00:00:00Z"}"#,
            r#"{"profile": "peer"}"#,
            r#"{"usages": ["signing"]}"#,
        ],
        CsrJson::from_json,
    );
    insta::assert_snapshot!(refusals);
}
