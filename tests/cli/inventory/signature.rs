//! A CA's own signature: nobody who trusts a root checks it, so that a change in ca.pem would go unnoticed.

use pki_cli::{Ca, Custody, Owners};
use pki_core::Certificate;

use super::service::issue;
use super::{APPLY, MANIFEST};
use crate::files::tree::Tree;
use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

fn der(lab: &Lab) -> Vec<u8> {
    Certificate::from_pem_or_der(&lab.read("pki/ca.pem")).unwrap()[0].der().to_vec()
}

#[test]
fn a_ca_whose_own_signature_does_not_verify_is_refused_at_open() {
    let lab = Lab::with_ca(&[]);
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(APPLY);
    // The last octets are those of the signature.
    let mut changed = der(&lab);
    *changed.last_mut().unwrap() ^= 1;
    lab.write("pki/ca.pem", changed);
    let before = Tree::of(lab.folder());
    for args in [
        &["issue", "--profile", "client", "api"][..],
        APPLY,
        &["plan", "-f", "cluster.yaml"],
        &["status", "-f", "cluster.yaml"],
        &["verify", "-f", "cluster.yaml"],
        &["export", "etcdone", "-f", "cluster.yaml"],
    ] {
        let run = lab.run(args);
        assert_eq!(run.code, 2, "{args:?}: {run:?}");
        let says = "error: pki/ca.pem: the signature of CN=etcd CA is wrong: ";
        assert!(run.stderr.starts_with(says), "{args:?}: {run:?}");
    }
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0]);
}

/// Wherever a bit of it changes.
#[test]
fn no_changed_bit_of_a_root_goes_unnoticed() {
    for algorithm in ["ecdsa-p256", "ed25519", "rsa-2048"] {
        let lab = Lab::with_ca(&["--key", algorithm]);
        let whole = der(&lab);
        // It knows the CA by its bytes, and would notice most changes for another reason.
        std::fs::remove_file(lab.path("pki/inventory.db")).unwrap();
        let mut used = Vec::new();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1 << (place % 8);
            lab.write("pki/ca.pem", changed);
            // An algorithm that nobody knows cannot be checked; the rules refuse it.
            let ca = Ca::open(&lab.path("pki"), Owners::Trusted, &Custody::default());
            if ca.is_ok_and(|ca| issue(&ca, "api").is_ok()) {
                used.push(place);
            }
        }
        assert_eq!(used, [0; 0], "{algorithm}: {} octets", whole.len());
        lab.write("pki/ca.pem", whole);
        assert!(
            Ca::open(&lab.path("pki"), Owners::Trusted, &Custody::default())
                .is_ok_and(|ca| issue(&ca, "api").is_ok())
        );
    }
}

/// Old roots are signed with SHA-1, which nobody checks any more.
#[test]
fn a_root_whose_signature_cannot_be_checked_is_not_called_changed() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("pki")).unwrap();
    let mut openssl = peers::program("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-sha1", "-days", "3650"]);
    openssl.args(["-subj", "/CN=old CA", "-keyout", "pki/ca-key.pem", "-out", "pki/ca.pem"]);
    openssl.args(["-addext", "keyUsage=critical,keyCertSign,cRLSign"]);
    let run = finish(openssl.current_dir(lab.folder()));
    assert_eq!(run.code, 0, "{run:?}");
    let pem = String::from_utf8(lab.read("pki/ca.pem")).unwrap();
    let ca = Ca::open(&lab.path("pki"), Owners::Trusted, &Custody::default());
    assert!(ca.is_ok(), "{pem}: {:?}", ca.err());
}

#[test]
fn an_intermediate_is_signed_by_the_root_behind_it() {
    let lab = Lab::with_ca(&["--path-len", "1"]);
    lab.write(
        "config.json",
        r#"{"signing": {"profiles": {"sub": {"expiry": "8760h", "usages": ["cert sign", "crl sign"],
            "ca_constraint": {"is_ca": true, "max_path_len": 0, "max_path_len_zero": true}}}}}"#,
    );
    let options = ["--config", "config.json", "--profile", "sub", "--cn", "etcd CA 2"];
    lab.ok(&[&["issue", "sub"], &options[..]].concat());
    lab.ok(&["init-ca", "--dir", "other"]);
    std::fs::create_dir(lab.path("sub")).unwrap();
    std::fs::rename(lab.path("sub-key.pem"), lab.path("sub/ca-key.pem")).unwrap();
    for (root, is_right) in [("other", false), ("pki", true)] {
        let root = lab.read(format!("{root}/ca.pem"));
        lab.write("sub/ca.pem", [lab.read("sub.pem"), root].concat());
        let ca = Ca::open(&lab.path("sub"), Owners::Trusted, &Custody::default());
        assert_eq!(ca.is_ok(), is_right, "{:?}", ca.err());
        if let Err(failure) = ca {
            assert!(failure.to_string().contains("CN=etcd CA 2 is wrong"), "{failure}");
        }
    }
}
