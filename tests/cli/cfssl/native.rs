//! What the native commands make of cfssl's files: the same rules, and the same lessons.

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

const CONFIG: &str = r#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {
    "both": {"usages": ["signing", "server auth", "client auth"]},
    "serving": {"usages": ["signing", "server auth"]}}}}"#;

fn lab() -> Lab {
    let lab = Lab::with_ca(&[]);
    lab.write("config.json", CONFIG);
    lab
}

fn text(lab: &Lab, certificate: &str) -> String {
    let mut openssl = peers::program("openssl");
    openssl.args(["x509", "-noout", "-text", "-in", certificate]).current_dir(lab.folder());
    let run = finish(&mut openssl);
    assert_eq!(run.code, 0, "{run:?}");
    run.stdout
}

/// A client identity, as Kubernetes has many. It cannot serve, and a certificate that can do nothing else is refused.
#[test]
fn only_a_common_name_with_both_usages_is_a_warning_and_for_a_server_an_error() {
    let lab = lab();
    lab.write("admin.json", r#"{"CN": "admin", "names": [{"O": "system:masters"}]}"#);
    let issue = ["issue", "--config", "config.json", "--csr-json", "admin.json", "--profile"];
    let run = lab.run(&[&issue[..], &["both"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("warning [san-none-cn-only]"), "{run:?}");
    let run = lab.run(&[&issue[..], &["serving", "other"]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("error [san-none-cn-only]"), "{run:?}");
}

#[test]
fn hosts_that_an_option_replaces_are_not_checked() {
    let lab = lab();
    lab.write("e1.json", r#"{"CN": "e1", "hosts": ["10.0.0.1:2379", ""]}"#);
    let issue = ["issue", "--profile", "server", "--csr-json", "e1.json"];
    let run = lab.run(&issue);
    assert_eq!(run.code, 2, "{run:?}");
    // Every mistake of the file at once.
    assert!(run.stderr.contains("2 mistakes"), "{run:?}");
    assert!(run.stderr.contains("hosts[0]") && run.stderr.contains("hosts[1]"), "{run:?}");
    lab.ok(&[&issue[..], &["--san", "10.0.0.1"]].concat());
    assert!(text(&lab, "e1.pem").contains("IP Address:10.0.0.1"));
}

#[test]
fn a_request_without_a_common_name_stays_without_one() {
    let lab = lab();
    lab.write("e1.json", r#"{"hosts": ["e1.lab"], "names": [{"O": "etcd"}]}"#);
    lab.ok(&[
        "issue",
        "--config",
        "config.json",
        "--profile",
        "both",
        "--csr-json",
        "e1.json",
        "e1",
    ]);
    assert!(text(&lab, "e1.pem").contains("Subject: O = etcd\n"));
}

/// The name under .invalid, which shuts etcd's peer port, is made from NAME. Without any attribute in the subject the
/// names are critical (RFC 5280 section 4.2.1.6).
#[test]
fn a_client_without_a_common_name_has_the_sentinel_name_of_its_file() {
    let lab = lab();
    lab.ok(&["issue", "--profile", "client", "--no-cn", "proxy"]);
    let text = text(&lab, "proxy.pem");
    assert!(text.contains("X509v3 Subject Alternative Name: critical\n"), "{text}");
    assert!(text.contains("DNS:proxy.") && text.contains(".invalid"), "{text}");
    assert!(text.contains("Subject: \n"), "{text}");
    let run = lab.run(&["issue", "--profile", "client", "--no-cn", "--cn", "x", "other"]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn all_mistakes_of_a_configuration_are_reported_at_once() {
    let lab = lab();
    lab.write(
        "bad.json",
        r#"{"signing": {"profiles": {"a": {"expiry": "1x", "usages": ["serverAuth"]},
            "b": {"expiry": "1h", "usages": ["signing"], "bogus": 1}}}}"#,
    );
    let run = lab.run(&["issue", "--config", "bad.json", "--profile", "b", "e1"]);
    assert_eq!(run.code, 2, "{run:?}");
    for part in ["3 mistakes", "profiles.a.expiry", "serverAuth", "profiles.b.bogus"] {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
}

#[test]
fn a_ca_from_a_csr_json_says_its_path_length() {
    let lab = Lab::new();
    lab.write("ca.json", r#"{"CN": "CA"}"#);
    let said = lab.ok(&["init-ca", "--csr-json", "ca.json"]);
    assert!(said.contains("CAs     none below it; --path-len NUMBER allows some"), "{said}");
    lab.write("limited.json", r#"{"CN": "CA", "ca": {"pathlen": 1}}"#);
    let said = lab.ok(&["--dir", "other", "init-ca", "--csr-json", "limited.json"]);
    assert!(said.contains("at most 1 below it in a path; --path-len 0 allows none"), "{said}");
}

/// Kubernetes reads each O as a group.
#[test]
fn several_values_of_one_attribute_are_issued_from_json_and_from_a_request() {
    let lab = lab();
    lab.write(
        "admin.json",
        r#"{"CN": "admin", "hosts": ["a"], "names": [{"O": "system:masters"}, {"O": "ops"}]}"#,
    );
    lab.ok(&["issue", "--config", "config.json", "--profile", "both", "--csr-json", "admin.json"]);
    let subject = text(&lab, "admin.pem");
    assert!(subject.contains("Subject: O = ops + O = system:masters, CN = admin"), "{subject}");
    let mut openssl = peers::program("openssl");
    openssl
        .args(["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-keyout", "made.key", "-out", "k.csr", "-subj", "/O=system:masters/O=ops/CN=k"])
        .current_dir(lab.folder());
    assert_eq!(finish(&mut openssl).code, 0);
    lab.ok(&["issue", "--config", "config.json", "--profile", "both", "--csr", "k.csr", "k"]);
    let subject = text(&lab, "k.pem");
    assert!(subject.contains("Subject: O = system:masters, O = ops, CN = k"), "{subject}");
}
