//! Trust: a certificate from another CA with the same name is never accepted, whatever is ignored.

use serde_json::Value;

use crate::lab::{Lab, Run};
use crate::members::openssl_server;
use crate::peers;
use crate::process::finish;

/// Two CAs with the same name in `real` and `evil`, and the OpenSSL configuration for their certificates.
fn two_cas() -> Lab {
    let lab = Lab::new();
    for folder in ["real", "evil"] {
        lab.ok(&["init-ca", "--dir", folder]);
    }
    lab
}

fn openssl(lab: &Lab, arguments: &[&str]) -> Run {
    finish(peers::program("openssl").args(arguments).current_dir(lab.folder()))
}

/// A leaf certificate `NAME.pem`, valid for ten days, with these extensions, signed with the key of the CA in a folder.
fn sign(lab: &Lab, ca: &str, name: &str, extensions: &str) {
    let key = format!("{name}-key.pem");
    let (cert, ca_key) = (format!("{ca}/ca.pem"), format!("{ca}/ca-key.pem"));
    // Without an identifier of the CA's key, OpenSSL tries every CA with that name.
    let aki =
        if extensions.contains("authorityKey") { "" } else { "authorityKeyIdentifier = none" };
    let common = "basicConstraints = critical, CA:FALSE";
    lab.write("leaf.cnf", format!("{common}\n{aki}\n{extensions}\n"));
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
    let request = ["req", "-subj", "/CN=etcdone", "-keyout", &key, "-out", "leaf.csr"];
    let sign = ["x509", "-req", "-in", "leaf.csr", "-days", "10", "-extfile", "leaf.cnf"];
    let by = ["-CA", &cert, "-CAkey", &ca_key, "-out", &format!("{name}.pem")];
    for arguments in [[&request[..], &ec].concat(), [&sign[..], &by].concat()] {
        let run = openssl(lab, &arguments);
        assert_eq!(run.code, 0, "{run:?}");
    }
}

/// Whether OpenSSL accepts the signature, whatever else is wrong with the certificate.
fn openssl_accepts(lab: &Lab, ca: &str, leaf: &str) -> bool {
    let leaf = format!("{leaf}.pem");
    let signature_only = ["-partial_chain", "-no_check_time", "-ignore_critical"];
    let verify = ["verify", "-CAfile", ca];
    let run = openssl(lab, &[&verify[..], &signature_only, &[&leaf]].concat());
    let said = &run.stderr;
    assert!(run.code == 0 || said.contains("certificate signature failure"), "{run:?}");
    run.code == 0
}

const SERVER: &str = "keyUsage = critical, digitalSignature\nextendedKeyUsage = serverAuth\n\
    subjectAltName = DNS:localhost, IP:127.0.0.1";
const UNKNOWN: &str = "1.3.6.1.4.1.44363.9 = critical, DER:05:00\nsubjectAltName = DNS:localhost";

fn verify(lab: &Lab, leaf: &str, options: &[&str]) -> (i32, Value) {
    let run = lab.run(&[&["verify", leaf, "--format", "json"], options].concat());
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    assert_eq!(document["ok"], run.code == 0, "{run:?}");
    (run.code, document["files"][0].clone())
}

fn ignoring_it_does_not_make_a_forged_leaf_trusted(rule: &str, extensions: &str, options: &[&str]) {
    let lab = two_cas();
    let ignore = format!("{rule}=we know");
    for (ca, trusted) in [("evil", false), ("real", true)] {
        sign(&lab, ca, "leaf", extensions);
        assert_eq!(openssl_accepts(&lab, "real/ca.pem", "leaf"), trusted);
        let anchor = ["--ca", "real/ca.pem"];
        let all = [&anchor[..], options, &["--ignore", "ca-time=it has to outlive it"]].concat();
        let (code, file) = verify(&lab, "leaf.pem", &[&all[..], &["--ignore", &ignore]].concat());
        assert_eq!((code == 0, &file["trust"]["accepted"]), (trusted, &trusted.into()), "{file}");
        let findings = file["findings"].as_array().unwrap();
        assert!(findings.iter().any(|found| found["rule"] == rule), "{file}");
        if !trusted {
            assert_eq!(file["trust"]["refused_by"], "path-signature");
            assert_eq!(findings[0]["rule"], "path-signature", "must be the first finding: {file}");
            assert_eq!(file["path"][0]["signature"], "invalid");
        }
        // Without --ignore, the result and the trust are the same.
        let (code, file) = verify(&lab, "leaf.pem", &all);
        assert_eq!((code, &file["trust"]["accepted"]), (1, &trusted.into()), "{file}");
    }
}

#[test]
fn a_forged_leaf_is_not_trusted_if_peer_eku_both_is_ignored() {
    ignoring_it_does_not_make_a_forged_leaf_trusted(
        "peer-eku-both",
        SERVER,
        &["--purpose", "peer"],
    );
}

#[test]
fn a_forged_leaf_is_not_trusted_if_leaf_expired_is_ignored() {
    let late = ["--at", "2099-01-01T00:00:00Z"];
    ignoring_it_does_not_make_a_forged_leaf_trusted("leaf-expired", SERVER, &late);
}

#[test]
fn a_forged_leaf_is_not_trusted_if_cli_eku_is_ignored() {
    ignoring_it_does_not_make_a_forged_leaf_trusted("cli-eku", SERVER, &["--purpose", "client"]);
}

#[test]
fn a_forged_leaf_is_not_trusted_if_ext_unknown_critical_is_ignored() {
    ignoring_it_does_not_make_a_forged_leaf_trusted("ext-unknown-critical", UNKNOWN, &[]);
}

/// `ETCD CA` for `etcd CA`: RFC 5280 section 7.1 treats them as the same name, Go does not.
#[test]
fn a_forged_leaf_is_not_trusted_if_dn_bytes_is_ignored() {
    let lab = Lab::new();
    lab.ok(&["init-ca", "--dir", "real"]);
    lab.ok(&["init-ca", "--dir", "evil", "--cn", "ETCD CA"]);
    let ca = pki_core::Certificate::from_pem_or_der(&lab.read("real/ca.pem")).unwrap();
    let key_id = ca[0].extensions.subject_key_id.as_ref().unwrap().to_string();
    let key_id = key_id.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let aki = format!("30:16:80:14:{}", key_id.collect::<Vec<_>>().join(":"));
    sign(&lab, "evil", "leaf", &format!("{SERVER}\nauthorityKeyIdentifier = DER:{aki}"));
    let (code, file) = verify(
        &lab,
        "leaf.pem",
        &["--ca", "real/ca.pem", "--ignore", "dn-bytes=x", "--ignore", "srv-eku-client=x"],
    );
    assert_eq!((code, &file["trust"]["accepted"]), (1, &false.into()), "{file}");
    assert_eq!(file["findings"][0]["rule"], "path-unknown-authority", "{file}");
    assert!(file["findings"].to_string().contains("dn-bytes"), "{file}");
}

#[test]
fn a_forged_leaf_of_a_live_endpoint_is_not_trusted_either() {
    let lab = two_cas();
    for (ca, code) in [("evil", 1), ("real", 0)] {
        sign(&lab, ca, "leaf", SERVER);
        let (_server, endpoint) = openssl_server(&lab, "leaf", &["-www"]);
        let run = lab.run(&[
            "verify",
            "--connect",
            &endpoint,
            "--ca",
            "real/ca.pem",
            "--purpose",
            "peer",
            "--ignore",
            "peer-eku-both=x",
        ]);
        assert_eq!(run.code, code, "{run:?}");
        assert_eq!(run.stdout.contains("(trusted)"), code == 0, "{run:?}");
    }
}

/// The issuer of the certificate is damaged, so nobody can read it, and no signature was verified.
#[test]
fn a_file_that_cannot_be_read_as_a_certificate_is_never_ok() {
    let lab = Lab::new();
    lab.write("cluster.yaml", "cluster: lab\netcd:\n  - { name: etcdone, ip: 10.0.0.1 }\n");
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    let file = "pki/hosts/etcdone/server.pem";
    let pem = String::from_utf8(lab.read(file)).unwrap();
    let certificate = pki_core::Certificate::from_pem_or_der(pem.as_bytes()).unwrap().remove(0);
    let mut der = certificate.der().to_vec();
    let issuer = certificate.issuer.der();
    let at = der.windows(issuer.len()).position(|octets| octets == issuer).unwrap();
    der[at + 2] = 0x05;
    let damaged = openssl_pem(&lab, &der);
    let ignored: Vec<String> = pki_core::rules()
        .filter(|rule| !rule.is_about_trust())
        .map(|rule| format!("--ignore={}=x", rule.id))
        .collect();
    let ignored: Vec<&str> = ignored.iter().map(String::as_str).collect();
    let verify = [&["verify", "-f", "cluster.yaml"], &ignored[..]].concat();
    for text in [damaged, pem.replace("BEGIN CERTIFICATE", "BEGIN CERT"), String::new()] {
        lab.write(file, text);
        let run = lab.run(&verify);
        assert_eq!(run.code, 1, "{run:?}");
    }
    lab.write(file, pem);
    lab.ok(&verify);
}

/// The DER as a PEM file.
fn openssl_pem(lab: &Lab, der: &[u8]) -> String {
    lab.write("damaged.der", der);
    let base64 = openssl(lab, &["base64", "-in", "damaged.der"]).stdout;
    format!("-----BEGIN CERTIFICATE-----\n{base64}-----END CERTIFICATE-----\n")
}

/// If nothing was verified, nothing is ignored.
#[test]
fn an_endpoint_without_a_certificate_is_never_ok() {
    let lab = Lab::with_ca(&[]);
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let ignore = ["--ignore", "endpoint-plain-http=behind a proxy"];
    let run = lab.run(&[&["verify", "--connect", &endpoint], &ignore[..]].concat());
    server.join().unwrap();
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("endpoint-plain-http"), "{run:?}");
}

#[test]
fn what_says_that_a_path_is_not_trusted_cannot_be_ignored() {
    let lab = two_cas();
    sign(&lab, "evil", "leaf", SERVER);
    for rule in ["path-unknown-authority", "path-signature", "path-rejected", "path-too-deep"] {
        let ignore = format!("{rule}=x");
        let run = lab.run(&["verify", "leaf.pem", "--ca", "real/ca.pem", "--ignore", &ignore]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        let wanted = format!("error: {rule} cannot be ignored");
        assert!(run.stderr.starts_with(&wanted) && run.stderr.contains("  hint: "), "{run:?}");
    }
}

/// The output in this format about a leaf that another CA with the same name signed, and about a leaf that the CA signed.
fn shown(format: &str) -> [String; 2] {
    let lab = two_cas();
    ["evil", "real"].map(|ca| {
        sign(&lab, ca, "leaf", SERVER);
        lab.run(&["verify", "leaf.pem", "--ca", "real/ca.pem", "--format", format]).stdout
    })
}

#[test]
fn the_text_says_trusted_only_behind_verified_signatures() {
    let [forged, signed] = shown("text");
    assert!(!forged.contains("(trusted)"), "{forged}");
    assert!(forged.contains("└─ CN=etcd CA (its key did not make the signature)\n"), "{forged}");
    assert!(signed.contains("└─ CN=etcd CA (trusted)\n"), "{signed}");
}

#[test]
fn the_json_says_whether_the_path_is_trusted_and_why_not() {
    let trust = shown("json").map(|text| {
        let document: Value = serde_json::from_str(&text).unwrap();
        document["files"][0]["trust"].clone()
    });
    assert_eq!(trust[0]["accepted"], false, "{trust:?}");
    assert_eq!(trust[0]["refused_by"], "path-signature", "{trust:?}");
    assert_eq!(trust[1]["accepted"], true, "{trust:?}");
    assert_eq!(trust[0]["anchor"], Value::Null, "{trust:?}");
    assert!(trust[1]["anchor"].as_str().is_some_and(|digest| digest.len() == 64), "{trust:?}");
}

#[test]
fn sarif_says_whether_the_path_is_trusted() {
    let [forged, signed] = shown("sarif");
    assert!(forged.contains(r#""trust":"refused""#), "{forged}");
    assert!(signed.contains(r#""trust":"accepted""#), "{signed}");
}

#[test]
fn junit_says_whether_the_path_is_trusted() {
    let [forged, signed] = shown("junit");
    assert!(forged.contains("<failure type=\"path-signature\""), "{forged}");
    assert!(signed.contains("trust: accepted"), "{signed}");
}

#[test]
fn github_annotations_say_whether_the_path_is_trusted() {
    let [forged, signed] = shown("github");
    assert!(forged.contains("title=etcdpki path-signature"), "{forged}");
    assert!(signed.contains("1 trusted"), "{signed}");
}

/// Exit 0 means that signatures lead to the CA, even if every finding is ignored; OpenSSL is the judge.
#[test]
fn with_every_rule_ignored_only_signatures_decide() {
    let lab = two_cas();
    let rules: Value = serde_json::from_str(&lab.ok(&["explain", "--format", "json"])).unwrap();
    let ids = rules["rules"].as_array().unwrap().iter().map(|rule| rule["rule"].as_str().unwrap());
    let ignored: Vec<String> =
        ids.filter(|id| !id.starts_with("path-")).map(|id| format!("--ignore={id}=x")).collect();
    let ignored: Vec<&str> = ignored.iter().map(String::as_str).collect();
    for ca in ["real", "evil"] {
        for extensions in [SERVER, UNKNOWN] {
            sign(&lab, ca, "leaf", extensions);
            let accepted = openssl_accepts(&lab, "real/ca.pem", "leaf");
            for purpose in ["server", "client", "peer", "any"] {
                for (at, policy) in
                    [("2026-01-01T00:00:00Z", "etcd"), ("2099-01-01T00:00:00Z", "rfc5280")]
                {
                    let asked =
                        ["--ca", "real/ca.pem", "--host", "elsewhere", "--purpose", purpose];
                    let how = ["--at", at, "--policy", policy, "--warn-as-error"];
                    let all = [&asked[..], &how, &ignored].concat();
                    let (code, file) = verify(&lab, "leaf.pem", &all);
                    assert_eq!(code == 0, accepted, "{ca} {purpose} {at}: {file}");
                }
            }
        }
    }
}
