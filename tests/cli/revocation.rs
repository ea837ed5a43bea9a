//! `revoke` and `crl`, judged by OpenSSL, by Python's cryptography, and by `verify`.

mod crl;
mod manifest;

use std::fs;

use crate::inventory::{program, serial_of, sqlite};
use crate::lab::{Lab, Run};
use crate::peers;

const REASONS: [&str; 9] = [
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
];

/// The names that OpenSSL prints for them. RFC 5280 recommends to leave `unspecified` out.
const PRINTED: [&str; 9] = [
    "",
    "Key Compromise",
    "CA Compromise",
    "Affiliation Changed",
    "Superseded",
    "Cessation Of Operation",
    "Certificate Hold",
    "Privilege Withdrawn",
    "AA Compromise",
];

/// The number of a CRL, by OpenSSL.
fn crl_number(lab: &Lab, file: &str) -> String {
    let said = openssl(lab, &format!("crl -in {file} -noout -crlnumber")).stdout;
    said.trim().strip_prefix("crlNumber=0x").unwrap().trim_start_matches('0').to_owned()
}

fn openssl(lab: &Lab, args: &str) -> Run {
    program(lab, "openssl", &args.split(' ').collect::<Vec<_>>())
}

/// OpenSSL and `verify` both say that a certificate is revoked, or both accept it.
#[track_caller]
fn agreed(lab: &Lab, crl: &str, file: &str, is_revoked: bool) {
    let run = openssl(lab, &format!("verify -crl_check -CAfile pki/ca.pem -CRLfile {crl} {file}"));
    assert_eq!(run.code, if is_revoked { 2 } else { 0 }, "{file}: {run:?}");
    assert_eq!(run.stderr.contains("certificate revoked"), is_revoked, "{file}: {run:?}");
    let run = lab.run(&["verify", file, "--ca", "pki/ca.pem", "--crl", crl]);
    assert_eq!(run.code, i32::from(is_revoked), "{file}: {run:?}");
    assert_eq!(run.stdout.contains("[leaf-revoked]"), is_revoked, "{file}: {run:?}");
}

#[test]
fn openssl_and_verify_agree_with_the_crl_about_every_reason() {
    for algorithm in ["ecdsa-p256", "ed25519", "rsa-2048"] {
        let lab = Lab::with_ca(&["--key", algorithm]);
        lab.ok(&["issue", "--profile", "client", "good"]);
        for reason in REASONS {
            lab.ok(&["issue", "--profile", "client", reason]);
        }
        // By file, and by serial number.
        for (index, reason) in REASONS.iter().enumerate() {
            let file = format!("{reason}.pem");
            let target = if index % 2 == 0 { file } else { serial_of(&lab, &file) };
            let said = lab.ok(&["revoke", &target, "--reason", &reason.to_lowercase()]);
            assert!(said.ends_with(&format!("(CN={reason}, client): {reason}\n")), "{said}");
        }
        lab.write("crl.pem", lab.ok(&["crl"]));
        lab.ok(&["crl", "--der", "--out", "crl.der"]);
        for crl in ["crl.pem", "crl.der"] {
            for reason in REASONS {
                agreed(&lab, crl, &format!("{reason}.pem"), true);
            }
            agreed(&lab, crl, "good.pem", false);
        }
        let text = openssl(&lab, "crl -in crl.pem -noout -text -CAfile pki/ca.pem");
        assert!(text.stderr.contains("verify OK"), "{text:?}");
        for (reason, printed) in REASONS.iter().zip(PRINTED) {
            let serial = serial_of(&lab, &format!("{reason}.pem"));
            let entry = text.stdout.split(&serial).nth(1).unwrap();
            let entry = entry.split("Serial Number").next().unwrap();
            assert_eq!(entry.contains("CRL Reason Code"), !printed.is_empty(), "{reason}: {entry}");
            assert!(entry.contains(printed), "{reason}: {entry}");
        }
        let inspected = lab.ok(&["inspect", "crl.der"]);
        assert!(inspected.contains("number               2\n"), "{inspected}");
        for reason in REASONS {
            let serial = serial_of(&lab, &format!("{reason}.pem")).to_lowercase();
            assert!(inspected.contains(&serial), "{inspected}");
        }
        // The second has the next number, and both have the CA's key identifier.
        assert_eq!([crl_number(&lab, "crl.pem"), crl_number(&lab, "crl.der")], ["1", "2"]);
        let ski = openssl(&lab, "x509 -in pki/ca.pem -noout -ext subjectKeyIdentifier").stdout;
        let ski = ski.lines().nth(1).unwrap().trim();
        assert!(text.stdout.contains(ski), "{ski}: {text:?}");
    }
}

/// The times of the CRL: 30 days, or what `--next-update` says.
#[test]
fn python_reads_number_times_and_entries() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.ok(&["revoke", "api.pem", "--reason", "keyCompromise"]);
    lab.ok(&["crl", "--out", "crl.pem", "--next-update", "7d"]);
    let script = "import sys
from cryptography import x509
crl = x509.load_pem_x509_crl(open('crl.pem', 'rb').read())
ca = x509.load_pem_x509_certificate(open('pki/ca.pem', 'rb').read())
[entry] = list(crl)
reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
print(crl.is_signature_valid(ca.public_key()), (crl.next_update_utc - crl.last_update_utc).days, number, reason.value,
    '%x' % entry.serial_number)";
    let mut python = std::process::Command::new(peers::venv("python"));
    python.args(["-c", script]).current_dir(lab.folder());
    let run = crate::process::finish(&mut python);
    let serial = serial_of(&lab, "api.pem").to_lowercase();
    assert_eq!(run.stdout, format!("True 7 1 keyCompromise {serial}\n"), "{run:?}");
}

#[test]
fn a_host_is_revoked_with_all_its_certificates_and_no_other() {
    let lab = Lab::new();
    lab.write(
        "cluster.yaml",
        "cluster: lab\netcd: [{ name: one, ip: 192.0.2.1 }, { name: two, ip: 192.0.2.2 }]\n",
    );
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    // A pair that was replaced is not expired, and a thief may have it.
    fs::remove_file(lab.path("pki/hosts/one/peer.pem")).unwrap();
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&["issue", "--profile", "client", "one"]);
    let run = lab.run(&["revoke", "--host", "one", "--reason", "keyCompromise"]);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 4), "{run:?}");
    assert!(run.stderr.contains("etcdctl member remove ID"), "{run:?}");
    lab.ok(&["crl", "--out", "crl.pem"]);
    for (file, is_revoked) in
        [("one/server", true), ("one/peer", true), ("two/server", false), ("two/peer", false)]
    {
        agreed(&lab, "crl.pem", &format!("pki/hosts/{file}.pem"), is_revoked);
    }
    let run = lab.run(&["revoke", "--host", "one"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("revoked already, or expired"), "{run:?}");
    let run = lab.run(&["revoke", "--host", "three"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("no certificate of this host"), "{run:?}");
}

/// The first reason and time stay: a second run changes nothing, and says so.
#[test]
fn revoking_twice_changes_nothing() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.ok(&["revoke", "api.pem", "--reason", "keyCompromise"]);
    let state = "SELECT reason, revoked_at FROM certificates WHERE status = 'revoked'";
    let before = sqlite(&lab, "pki/inventory.db", state);
    let run = lab.run(&["revoke", "api.pem", "--reason", "superseded"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.starts_with("unchanged "), "{run:?}");
    assert_eq!(sqlite(&lab, "pki/inventory.db", state), before);
}

#[test]
fn what_cannot_be_revoked_is_refused_and_nothing_is() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.ok(&["--dir", "other", "init-ca", "--cn", "etcd CA"]);
    lab.ok(&["--dir", "other", "issue", "--profile", "client", "stranger"]);
    let ca = serial_of(&lab, "pki/ca.pem");
    for (target, code, says) in [
        ("stranger.pem", 1, "not by this CA, CN=etcd CA"),
        ("pki/ca.pem", 1, "pki/ca.pem is the CA itself"),
        (&*ca, 1, "is the CA itself"),
        ("1234", 1, "no certificate of this CA with this serial number"),
        ("missing.pem", 2, "neither a file nor a serial number"),
        ("api-key.pem", 2, "api-key.pem"),
    ] {
        let run = lab.run(&["revoke", "api.pem", target]);
        assert_eq!(run.code, code, "{target}: {run:?}");
        assert!(run.stderr.contains(says), "{target}: {run:?}");
        assert!(run.stderr.contains("\n  hint: "), "{target}: {run:?}");
    }
    let run = lab.run(&["revoke", "api.pem", "--reason", "key compromised"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("keyCompromise"), "{run:?}");
    let run = lab.run(&["list", "--revoked"]);
    assert_eq!(run.stdout.lines().count(), 1, "{run:?}");
}

/// Each CA revokes what it issued itself: the inventories of a root and of a CA below it know both.
#[test]
fn a_ca_does_not_revoke_for_the_ca_above_or_below_it() {
    let lab = Lab::new();
    lab.make_intermediate_ca();
    lab.ok(&["--dir", "root", "issue", "--profile", "client", "above"]);
    lab.ok(&["issue", "--profile", "client", "below"]);
    for (folder, file) in [("pki", "above.pem"), ("root", "below.pem")] {
        let run = lab.run(&["--dir", folder, "revoke", file]);
        assert_eq!(run.code, 1, "{file}: {run:?}");
        assert!(run.stderr.contains("not by this CA"), "{file}: {run:?}");
    }
    // The certificate of the CA itself is one of the root.
    fs::write(lab.path("ca.pem"), lab.read("pki/ca.pem")).unwrap();
    lab.ok(&["--dir", "root", "revoke", "ca.pem"]);
}

/// The inventory is gone, the certificate is there: it can still be revoked.
#[test]
fn a_certificate_that_the_inventory_lost_is_revoked_by_its_file() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    fs::remove_file(lab.path("pki/inventory.db")).unwrap();
    lab.ok(&["revoke", "api.pem", "--reason", "keyCompromise"]);
    lab.ok(&["crl", "--out", "crl.pem"]);
    agreed(&lab, "crl.pem", "api.pem", true);
}

/// A rebuilt inventory continues after the number of the CRL that it found, and what is on that CRL stays revoked,
/// also a certificate whose file is gone.
#[test]
fn a_rebuilt_inventory_keeps_what_the_last_crl_revoked() {
    let lab = Lab::with_ca(&[]);
    for name in ["kept", "gone"] {
        lab.ok(&["issue", "--profile", "client", name, "--out", "out"]);
        lab.ok(&["revoke", &format!("out/{name}.pem"), "--reason", "keyCompromise"]);
    }
    lab.ok(&["crl"]);
    lab.ok(&["crl", "--out", "out/crl.pem"]);
    fs::rename(lab.path("out/gone.pem"), lab.path("gone.pem")).unwrap();
    fs::remove_file(lab.path("pki/inventory.db")).unwrap();
    let run = lab.run(&["check", "--rebuild", "--scan", "out"]);
    assert!(run.stderr.contains("and the CRL with the number 2"), "{run:?}");
    // It knows that one is missing, and that cannot be helped.
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("is on this CRL and not revoked in the inventory"), "{run:?}");
    lab.ok(&["crl", "--out", "next.pem"]);
    let number = crl_number(&lab, "next.pem");
    assert_eq!(number, "3");
    agreed(&lab, "next.pem", "out/kept.pem", true);
    agreed(&lab, "next.pem", "gone.pem", true);
}

/// Certificates of a CA without a subjectKeyIdentifier have no authorityKeyIdentifier, so nothing but the issuer's name
/// says whose they are.
#[test]
fn a_ca_without_a_key_identifier_revokes_too() {
    let lab = Lab::new();
    fs::create_dir(lab.path("pki")).unwrap();
    let run = openssl(
        &lab,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 400 -subj /CN=ca \
         -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=none \
         -addext authorityKeyIdentifier=none -keyout pki/ca-key.pem -out pki/ca.pem",
    );
    assert_eq!(run.code, 0, "{run:?}");
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.ok(&["issue", "--profile", "client", "other"]);
    lab.ok(&["revoke", &serial_of(&lab, "api.pem")]);
    lab.ok(&["crl", "--out", "crl.pem"]);
    agreed(&lab, "crl.pem", "api.pem", true);
    agreed(&lab, "crl.pem", "other.pem", false);
    assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 3 certificates\n");
}

/// The key of a revoked certificate may be in other hands: only a new key is certified, and only if somebody asks for it.
#[test]
fn a_revoked_certificate_is_renewed_only_by_name_and_with_a_new_key() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.ok(&["revoke", "api.pem", "--reason", "keyCompromise"]);
    let before = lab.read("api.pem");
    let run = lab.run(&["renew", "api.pem"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr.contains("it is revoked, so its key must not be certified again"),
        "{run:?}"
    );
    assert!(run.stderr.contains("--rekey"), "{run:?}");
    for plan in [&["--dry-run"][..], &[]] {
        let run = lab.run(&[&["renew", "--all", "--before", "2y"], plan].concat());
        assert_eq!((run.code, &*run.stdout), (0, "nothing is due\n"), "{run:?}");
        assert!(run.stderr.contains("api.pem is not renewed, because it is revoked"), "{run:?}");
    }
    assert_eq!(lab.read("api.pem"), before);
    lab.ok(&["renew", "api.pem", "--rekey"]);
    lab.ok(&["crl", "--out", "crl.pem"]);
    agreed(&lab, "crl.pem", "api.pem", false);
}
