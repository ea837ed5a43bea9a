//! PKCS #10 requests (`--csr`).

use super::Table;
use super::openssl::OpenSsl;
use crate::lab::Lab;
use crate::peers;

const SIGN: &[&str] = &["issue", "--profile", "client", "--csr", "api.csr", "api"];

fn p256(openssl: &OpenSsl<'_>) {
    openssl.key("p256.key", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
}

#[test]
fn what_is_not_a_request_is_refused() {
    let lab = Lab::with_ca(&[]);
    let openssl = OpenSsl::in_lab(&lab);
    p256(&openssl);
    let pem = openssl.request("p256.key", &[]);
    let der = openssl.request("p256.key", &["-outform", "DER"]);
    let rows = [
        ("empty", Vec::new()),
        ("text", b"404 page not found\n".to_vec()),
        ("JSON", br#"{"CN": "api"}"#.to_vec()),
        ("a certificate", lab.read("pki/ca.pem")),
        ("a key", lab.read("p256.key")),
        ("cut short", pem[..pem.len() / 2].to_vec()),
        ("cut short, DER", der[..der.len() / 2].to_vec()),
        ("bytes behind it, DER", [&der[..], b"x"].concat()),
        ("two requests", [&pem[..], &pem].concat()),
        ("no base64", [&pem[..60], b"!!!!", &pem[64..]].concat()),
        ("a line lost", without_line(&pem, 2)),
    ];
    let mut table = Table::new(lab);
    for (row, contents) in &rows {
        table.refused_file(row, 2, ("api.csr", contents), SIGN);
    }
    table.refused("missing", 3, &["issue", "--profile", "client", "--csr", "no.csr", "api"]);
    table.refused("a folder", 3, &["issue", "--profile", "client", "--csr", "pki", "api"]);
    table.refused("nothing on standard input", 2, &["issue", "--profile", "client", "--csr", "-"]);
    table.snapshot("request_files");
}

fn without_line(pem: &[u8], number: usize) -> Vec<u8> {
    let mut lines: Vec<_> = pem.split_inclusive(|byte| *byte == b'\n').collect();
    lines.remove(number);
    lines.concat()
}

#[test]
fn a_request_that_proves_nothing_is_refused() {
    let lab = Lab::with_ca(&[]);
    let openssl = OpenSsl::in_lab(&lab);
    p256(&openssl);
    let mut altered = openssl.request("p256.key", &["-outform", "DER"]);
    let name = altered.windows(3).position(|bytes| bytes == b"api").unwrap();
    altered[name] = b'A';
    let mut damaged = openssl.request("p256.key", &["-outform", "DER"]);
    *damaged.last_mut().unwrap() ^= 1;

    // cfssl signs RSA keys of 512 and 1024 bits, and requests with SHA-1 and MD5.
    for bits in ["512", "1024", "2048"] {
        let size = format!("rsa_keygen_bits:{bits}");
        openssl.key(&format!("rsa{bits}.key"), &["RSA", "-pkeyopt", &size]);
    }
    openssl.key("p224.key", &["EC", "-pkeyopt", "ec_paramgen_curve:P-224"]);
    openssl.key("k1.key", &["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]);
    openssl.key("ed448.key", &["ED448"]);
    openssl.key("pss.key", &["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]);
    openssl.run(&["dsaparam", "-genkey", "-out", "dsa.key", "1024"]);
    let longest_salt = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:222"];
    let rows = [
        ("an altered subject", 2, altered),
        ("a damaged signature", 2, damaged),
        ("RSA of 512 bits", 1, openssl.request("rsa512.key", &[])),
        ("RSA of 1024 bits", 1, openssl.request("rsa1024.key", &[])),
        ("SHA-1", 1, openssl.request("rsa2048.key", &["-sha1"])),
        ("MD5", 1, openssl.request("rsa2048.key", &["-md5"])),
        ("SHA-1 on P-256", 1, openssl.request("p256.key", &["-sha1"])),
        ("PSS with a salt of 222 bytes", 2, openssl.request("rsa2048.key", &longest_salt)),
        ("a key for PSS alone", 1, openssl.request("pss.key", &[])),
        ("DSA", 1, openssl.request("dsa.key", &[])),
        ("Ed448", 1, openssl.request("ed448.key", &[])),
        ("P-224", 1, openssl.request("p224.key", &[])),
        ("secp256k1", 1, openssl.request("k1.key", &[])),
    ];
    let mut table = Table::new(lab);
    for (row, code, request) in &rows {
        table.refused_file(row, *code, ("api.csr", request), SIGN);
    }
    table.snapshot("request_proofs");
}

#[test]
fn a_request_for_more_than_a_leaf_is_refused() {
    let lab = Lab::with_ca(&[]);
    let openssl = OpenSsl::in_lab(&lab);
    p256(&openssl);
    let asks = |extension| openssl.request("p256.key", &["-addext", extension]);
    let ca = asks("basicConstraints=critical,CA:TRUE");
    let length = asks("basicConstraints=CA:FALSE,pathlen:1");
    let directory = asks("subjectAltName=dirName:dn");
    let critical = asks("1.2.3.4=critical,DER:0500");
    let two_names = openssl.request("p256.key", &["-subj", "/CN=api/OU=1/CN=web"]);
    let nameless = openssl.request("p256.key", &["-subj", "/"]);
    let mut table = Table::new(lab);
    table.refused_file("a CA", 1, ("api.csr", &ca), SIGN);
    table.refused_file("a path length for a leaf", 2, ("api.csr", &length), SIGN);
    table.refused_file("a directory name", 2, ("api.csr", &directory), SIGN);
    table.refused_file("two common names", 2, ("api.csr", &two_names), SIGN);
    let config = r#"{"signing": {"profiles": {"client": {"expiry": "1h", "usages": ["client auth"], "copy_extensions": true}}}}"#;
    table.lab.write("config.json", config);
    let copying = [SIGN, &["--config", "config.json"]].concat();
    table.lab.write("api.csr", critical);
    table.refused("a critical extension that nobody knows", 1, &copying);
    table.lab.write("api.csr", nameless);
    table.refused("no name", 2, &["issue", "--profile", "client", "--csr", "api.csr"]);
    table.snapshot("request_wishes");
}

#[test]
fn a_certificate_is_not_put_beside_a_key_that_it_is_not_for() {
    // etcd would exit: `tls: private key does not match public key`.
    let lab = Lab::with_ca(&[]);
    let openssl = OpenSsl::in_lab(&lab);
    p256(&openssl);
    let request = openssl.request("p256.key", &[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    let mut table = Table::new(lab);
    let force = [SIGN, &["--force"]].concat();
    table.refused_file("another pair", 2, ("api.csr", &request), &force);
    std::fs::remove_file(table.lab.path("api.pem")).unwrap();
    table.refused_file("another key", 2, ("api.csr", &request), SIGN);
    let (lab, key) = (&table.lab, table.lab.read("p256.key"));
    lab.write("api-key.pem", key);
    lab.ok(SIGN);
    lab.ok(&["verify", "api.pem", "--key", "api-key.pem"]);
    table.snapshot("request_beside_a_key");
}

#[test]
fn a_request_is_read_in_der_and_with_rsa_pss() {
    let lab = Lab::with_ca(&[]);
    let openssl = OpenSsl::in_lab(&lab);
    p256(&openssl);
    openssl.key("rsa.key", &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let pss = |hash, salt| {
        let salt = format!("rsa_pss_saltlen:{salt}");
        let options = [hash, "-sigopt", "rsa_padding_mode:pss", "-sigopt", &salt];
        openssl.request("rsa.key", &options)
    };
    for (row, request) in [
        ("DER", openssl.request("p256.key", &["-outform", "DER"])),
        // RFC 8017 section 9.1: a salt as long as the hash is the usual choice, also in TLS.
        ("PSS, SHA-256", pss("-sha256", 32)),
        ("PSS, SHA-384", pss("-sha384", 48)),
        ("PSS, SHA-512", pss("-sha512", 64)),
    ] {
        lab.write("api.csr", request);
        let run = lab.run(&[SIGN, &["--force"]].concat());
        assert_eq!(run.code, 0, "{row}: {run:?}");
        openssl.run(&["verify", "-CAfile", "pki/ca.pem", "api.pem"]);
    }
}

#[test]
fn a_request_is_read_from_standard_input() {
    let lab = Lab::with_ca(&[]);
    let openssl = OpenSsl::in_lab(&lab);
    p256(&openssl);
    lab.write("api.csr", openssl.request("p256.key", &[]));
    let mut issue = lab.command(&["issue", "--profile", "client", "--csr", "-"]);
    issue.stdin(std::fs::File::open(lab.path("api.csr")).unwrap());
    assert!(issue.output().unwrap().status.success());
    let mut verify = peers::program("openssl");
    verify.args(["verify", "-CAfile", "pki/ca.pem", "api.pem"]).current_dir(lab.folder());
    assert!(verify.output().unwrap().status.success());
}

// Run live, a client whose certificate carries its host's address read the member list at etcd's peer port.
#[test]
fn a_client_gets_the_names_of_its_request_from_the_operator_only() {
    let lab = Lab::with_ca(&[]);
    let openssl = OpenSsl::in_lab(&lab);
    p256(&openssl);
    let names = "subjectAltName=DNS:api.lab,IP:10.0.0.9,URI:spiffe://lab/api";
    lab.write("api.csr", openssl.request("p256.key", &["-addext", names]));
    let issued = |options: &[&str]| {
        let run = lab.run(&[SIGN, &["--force"], options].concat());
        assert_eq!(run.code, 0, "{run:?}");
        let mut read = peers::program("openssl");
        read.args(["x509", "-in", "api.pem", "-noout", "-ext", "subjectAltName"]);
        let read = read.current_dir(lab.folder()).output().unwrap();
        assert!(read.status.success(), "{read:?}");
        (String::from_utf8(read.stdout).unwrap(), run.stderr)
    };
    let (text, notes) = issued(&[]);
    assert!(text.contains("DNS:api.invalid, URI:spiffe://lab/api\n"), "{text}");
    for name in ["dns:api.lab", "ip:10.0.0.9"] {
        let note = format!(
            "note: left out name {name}: the profile client does not take it from a request (--san adds names)\n"
        );
        assert!(notes.contains(&note), "{note} in {notes}");
    }
    let (text, notes) = issued(&["--san", "api.lab"]);
    assert!(text.contains("DNS:api.invalid, DNS:api.lab\n"), "{text}");
    assert!(!notes.contains("left out"), "{notes}");
}

#[test]
fn a_request_for_the_key_of_the_ca_or_with_a_small_exponent_is_reported() {
    let lab = Lab::with_ca(&["--key", "rsa-2048"]);
    let openssl = OpenSsl::in_lab(&lab);
    openssl.key("small.key", &["RSA", "-pkeyopt", "rsa_keygen_pubexp:3"]);
    lab.write("api.csr", openssl.request("small.key", &[]));
    let run = lab.run(SIGN);
    assert!(run.code == 0 && run.stderr.contains("warning [key-rsa-exponent] "), "{run:?}");
    lab.write("ca.key", lab.read("pki/ca-key.pem"));
    lab.write("api.csr", openssl.request("ca.key", &[]));
    let run = lab.run(&[SIGN, &["--force"]].concat());
    let wanted =
        "it is the key of the CA itself\n  hint: generate a separate key for the certificate\n";
    assert!(run.code == 1 && run.stderr.contains(wanted), "{run:?}");
}
