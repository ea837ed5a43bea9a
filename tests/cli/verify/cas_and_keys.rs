//! CAs verified by themselves, keys beside their certificates, and what a folder was not asked.

use serde_json::Value;

use super::mixed;
use crate::lab::Lab;

fn rules(lab: &Lab, args: &[&str], code: i32) -> Vec<String> {
    let run = lab.run(&[&["verify", "--format", "json"], args].concat());
    assert_eq!(run.code, code, "{args:?}: {run:?}");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = document["files"][0]["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_ca_is_verified_by_itself_and_its_expiry_is_reported() {
    let lab = Lab::with_ca(&[]);
    let ca = ["pki/ca.pem", "--purpose", "ca"];
    assert_eq!(rules(&lab, &ca, 0), [""; 0]);
    let soon = [&ca[..], &["--expires-within", "5000d"]].concat();
    assert_eq!(rules(&lab, &soon, 0), ["leaf-expiring"]);
    let strict = [&soon[..], &["--warn-as-error"]].concat();
    assert_eq!(rules(&lab, &strict, 1), ["leaf-expiring"]);
    // Without the purpose it stands where a leaf belongs.
    assert_eq!(rules(&lab, &["pki/ca.pem"], 1), ["leaf-is-ca"]);
    // A file that is not a CA is reported.
    lab.ok(&["issue", "--profile", "server", "leaf", "--san", "10.0.0.1"]);
    assert!(rules(&lab, &["leaf.pem", "--purpose", "ca"], 1).contains(&"ca-bc".to_owned()));
    // In a folder CAs are then what is verified.
    std::fs::create_dir(lab.path("cas")).unwrap();
    lab.write("cas/ca.pem", lab.read("pki/ca.pem"));
    assert_eq!(rules(&lab, &["cas", "--purpose", "ca"], 0), [""; 0]);
    assert_eq!(lab.run(&["verify", "cas"]).code, 2);
}

#[test]
fn the_key_beside_a_certificate_is_compared_with_it() {
    let lab = Lab::with_ca(&[]);
    for name in ["one", "two"] {
        lab.ok(&["issue", "--profile", "server", name, "--san", "10.0.0.1"]);
    }
    assert_eq!(rules(&lab, &["one.pem"], 0), [""; 0]);
    lab.write("one-key.pem", lab.read("two-key.pem"));
    assert_eq!(rules(&lab, &["one.pem"], 1), ["key-mismatch"]);
    // Whoever names a key asks for that one.
    assert_eq!(rules(&lab, &["one.pem", "--key", "one-key.pem"], 1), ["key-mismatch"]);
    assert_eq!(rules(&lab, &["two.pem", "--key", "two-key.pem"], 0), [""; 0]);
    lab.write("one-key.pem", "no key\n");
    let run = lab.run(&["verify", "one.pem"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("one-key.pem"), "{run:?}");
    std::fs::remove_file(lab.path("one-key.pem")).unwrap();
    assert_eq!(rules(&lab, &["one.pem"], 0), [""; 0]);
}

#[test]
fn a_folder_without_a_host_says_that_none_was_asked_for() {
    let lab = mixed();
    let without = lab.run(&["verify", "certs"]);
    assert!(without.stdout.contains("without a host name (--host)"), "{without:?}");
    let with = lab.run(&["verify", "certs", "--host", "10.0.0.1"]);
    assert!(!with.stdout.contains("no host"), "{with:?}");
}
