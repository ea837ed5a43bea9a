//! What `verify` warns of, so that nobody believes that it was checked.

use serde_json::Value;

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

/// The exit code, and the severity and the evidence of the finding of this rule.
fn found(lab: &Lab, args: &[&str], rule: &str) -> (i32, Option<(String, String)>) {
    let run = lab.run(&[&["verify", "--format", "json"], args].concat());
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = document["files"][0]["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["rule"] == rule);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (run.code, found.map(|one| (text(&one["severity"]), text(&one["evidence"]))))
}

/// A server certificate, and CRLs of its CA and of another CA.
fn with_crls() -> Lab {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "server", "etcdone", "--san", "192.0.2.1"]);
    lab.ok(&["crl", "--out", "own.pem"]);
    lab.ok(&["init-ca", "--dir", "other", "--cn", "another CA"]);
    lab.ok(&["crl", "--dir", "other", "--out", "other.pem"]);
    lab
}

#[test]
fn a_crl_of_a_ca_outside_the_path_is_a_warning() {
    let lab = with_crls();
    let both = ["etcdone.pem", "--crl", "own.pem", "--crl", "other.pem"];
    let (code, warning) = found(&lab, &both, "crl-unrelated");
    let (severity, evidence) = warning.unwrap();
    assert_eq!((code, severity.as_str()), (0, "warning"));
    assert!(evidence.contains("CN=another CA"), "{evidence}");
    assert_eq!(found(&lab, &both, "crl-missing"), (0, None));
    assert_eq!(found(&lab, &both[..3], "crl-unrelated"), (0, None));
}

/// OpenSSL agrees that the revocation cannot be checked.
#[test]
fn crls_without_one_of_the_issuer_are_a_warning_that_revocation_was_not_checked() {
    let lab = with_crls();
    let others = ["etcdone.pem", "--crl", "other.pem"];
    let (code, warning) = found(&lab, &others, "crl-missing");
    assert_eq!((code, warning.unwrap().0.as_str()), (0, "warning"));
    let check = ["verify", "-crl_check", "-CAfile", "pki/ca.pem", "-CRLfile"];
    for (crl, code) in [("other.pem", 2), ("own.pem", 0)] {
        let mut openssl = peers::program("openssl");
        let run = finish(openssl.args(check).args([crl, "etcdone.pem"]).current_dir(lab.folder()));
        assert_eq!(run.code, code, "{run:?}");
        assert_eq!(run.stderr.contains("unable to get certificate CRL"), code != 0, "{run:?}");
    }
}

/// etcd looks up the PTR records of the address that connects (checkCertSAN).
#[test]
fn a_peer_certificate_with_only_wildcards_is_a_warning() {
    let lab = Lab::with_ca(&[]);
    let config = r#"{"signing": {"profiles": {"any": {"expiry": "24h",
        "usages": ["signing", "server auth", "client auth"]}}}}"#;
    lab.write("config.json", config);
    let issue = ["issue", "--config", "config.json", "--profile", "any", "etcdone"];
    lab.ok(&[&issue[..], &["--san", "*.example.com"]].concat());
    let (_, warning) = found(&lab, &["etcdone.pem", "--purpose", "peer"], "peer-san-wildcard-only");
    let (_, evidence) = warning.unwrap();
    assert!(evidence.contains("*.example.com"), "{evidence}");
    let (_, nothing) =
        found(&lab, &["etcdone.pem", "--purpose", "server"], "peer-san-wildcard-only");
    assert_eq!(nothing, None);
    let named = ["--san", "*.example.com", "--san", "192.0.2.1", "--force"];
    lab.ok(&[&issue[..], &named].concat());
    let (code, nothing) =
        found(&lab, &["etcdone.pem", "--purpose", "peer"], "peer-san-wildcard-only");
    assert_eq!((code, nothing), (0, None));
}

#[test]
fn peer_san_dns_only_names_the_ptr_record() {
    let explained = Lab::new().ok(&["explain", "peer-san-dns-only"]);
    assert!(explained.contains("PTR record"), "{explained}");
}

/// In a CI job, a warning by itself is not seen.
#[test]
fn expires_within_fails_only_with_warn_as_error_as_its_help_and_the_recipes_say() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "server", "etcdone", "--san", "192.0.2.1"]);
    let soon = ["etcdone.pem", "--expires-within", "400d"];
    let (code, warning) = found(&lab, &soon, "leaf-expiring");
    assert_eq!((code, warning.unwrap().0.as_str()), (0, "warning"));
    let (code, error) = found(&lab, &[&soon[..], &["--warn-as-error"]].concat(), "leaf-expiring");
    assert_eq!((code, error.unwrap().0.as_str()), (1, "error"));
    let help = lab.ok(&["verify", "--help"]);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("a warning makes the exit code 1 only with --warn-as-error"), "{help}");
    let recipes = std::fs::read_to_string(peers::root().join("docs/ci.md")).unwrap();
    let uses = |line: &&str| line.contains("--expires-within") && line.contains("etcdpki verify");
    for line in recipes.lines().filter(uses) {
        assert!(line.contains("--warn-as-error"), "{line}");
    }
}
