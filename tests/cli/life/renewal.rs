//! `etcdpki renew` for leaf certificates.

use pki_core::{Certificate, PrivateKey, Signer};
use serde_json::json;

use super::{APPLY, PLAN, STATUS, applied, day, json, ok_on};
use crate::lab::Lab;

const MANIFEST: &str = "\
cluster: lab
etcd: [{ name: etcdone, ip: 10.0.0.1 }]
control_plane: [{ name: masterone, ip: 10.0.0.9 }]
clients: [{ name: java, host: app, format: [pem, pkcs12, combined] }]
";

const LEAVES: [&str; 4] = [
    "pki/hosts/app/java.pem",
    "pki/hosts/etcdone/peer.pem",
    "pki/hosts/etcdone/server.pem",
    "pki/hosts/masterone/apiserver-etcd-client.pem",
];

fn certificate(lab: &Lab, path: &str) -> Certificate {
    Certificate::from_pem_or_der(&lab.read(path)).unwrap().swap_remove(0)
}

fn nothing_to_do(lab: &Lab, after: i64) {
    let plan = lab.run_at(&day(after), PLAN);
    assert_eq!(plan.code, 0, "{plan:?}");
}

/// What a renewal must not change, whether the key is new or not.
fn is_like(new: &Certificate, old: &Certificate) {
    assert_ne!(new.serial, old.serial);
    assert_eq!(new.subject.der(), old.subject.der());
    assert_eq!(new.issuer.der(), old.issuer.der());
    assert_eq!(new.not_after - new.not_before, old.not_after - old.not_before);
    let without_ski = |certificate: &Certificate| {
        let mut all = certificate.extensions.all.clone();
        all.retain(|extension| extension.oid.as_str() != "2.5.29.14");
        all
    };
    assert_eq!(without_ski(new), without_ski(old));
}

#[test]
fn what_is_due_is_renewed_in_the_hosts_folders_and_in_the_files_of_issue() {
    let lab = applied(MANIFEST);
    ok_on(&lab, 0, &["issue", "--profile", "client", "backup", "--out", "elsewhere"]);
    ok_on(&lab, 200, &["issue", "--profile", "client", "young"]);
    let leaves = [&LEAVES[..], &["elsewhere/backup.pem"]].concat();
    let before: Vec<Certificate> = leaves.iter().map(|leaf| certificate(&lab, leaf)).collect();
    let key = lab.read("pki/hosts/etcdone/peer-key.pem");
    let young = lab.read("young.pem");

    // A third of a year is left from day 244 on.
    assert!(ok_on(&lab, 240, &["renew", "--all"]).contains("nothing is due"));
    let planned = ok_on(&lab, 250, &["renew", "--all", "--dry-run"]);
    assert_eq!(planned.matches("would renew ").count(), leaves.len(), "{planned}");
    assert!(ok_on(&lab, 250, &["renew", "--all", "--before", "100d"]).contains("nothing is due"));
    for (leaf, old) in leaves.iter().zip(&before) {
        assert_eq!(certificate(&lab, leaf), *old, "{leaf}");
    }
    let run = lab.run_at(&day(250), &["renew", "--all", "--format", "json"]);
    let output = json(&run);
    assert_eq!((run.code, &output["changed"]), (0, &json!(true)), "{run:?}");
    assert_eq!(output["certificates"].as_array().unwrap().len(), leaves.len());
    for (leaf, old) in leaves.iter().zip(&before) {
        let new = certificate(&lab, leaf);
        is_like(&new, old);
        assert_eq!(new.public_key, old.public_key, "{leaf}");
        assert_eq!(new.extensions.all, old.extensions.all, "{leaf}");
    }
    assert_eq!(lab.read("pki/hosts/etcdone/peer-key.pem"), key);
    assert_eq!(lab.read("young.pem"), young);
    assert!(ok_on(&lab, 251, &["renew", "--all"]).contains("nothing is due"));
    // `apply` agrees, also about the files that hold the certificate in other formats.
    nothing_to_do(&lab, 251);
    assert_eq!(lab.run_at(&day(251), STATUS).code, 0);
}

#[test]
fn a_new_key_comes_with_its_certificate_in_every_format() {
    let lab = applied(MANIFEST);
    let old: Vec<Certificate> = LEAVES.iter().map(|leaf| certificate(&lab, leaf)).collect();
    let password = lab.read("pki/hosts/app/java.p12.password");
    let said = ok_on(&lab, 300, &["renew", "--all", "--rekey"]);
    assert!(said.contains("keys first"), "{said}");
    for (leaf, old) in LEAVES.iter().zip(&old) {
        let new = certificate(&lab, leaf);
        is_like(&new, old);
        assert_ne!(new.public_key, old.public_key, "{leaf}");
        let key = lab.read(leaf.replace(".pem", "-key.pem"));
        assert_eq!(*PrivateKey::from_pem(&key).unwrap().public_key(), new.public_key);
    }
    assert_eq!(lab.read("pki/hosts/app/java.p12.password"), password);
    nothing_to_do(&lab, 300);
}

#[test]
fn a_file_is_renewed_now_and_one_host_without_the_others() {
    let lab = applied(MANIFEST);
    let before = certificate(&lab, LEAVES[1]);
    ok_on(&lab, 1, &["renew", LEAVES[1]]);
    is_like(&certificate(&lab, LEAVES[1]), &before);
    // The file that holds key and certificate changes with a certificate that is named by its path.
    ok_on(&lab, 1, &["renew", LEAVES[0]]);
    nothing_to_do(&lab, 1);
    let (server, client) = (lab.read(LEAVES[2]), lab.read(LEAVES[3]));
    let said = ok_on(&lab, 300, &["renew", "--host", "masterone"]);
    assert!(said.contains("hosts/masterone/apiserver-etcd-client.pem"), "{said}");
    assert_eq!(lab.read(LEAVES[2]), server);
    assert_ne!(lab.read(LEAVES[3]), client);

    ok_on(&lab, 1, &["issue", "--profile", "client", "backup"]);
    let old = certificate(&lab, "backup.pem");
    ok_on(&lab, 2, &["renew", "backup.pem", "--rekey"]);
    let new = certificate(&lab, "backup.pem");
    is_like(&new, &old);
    let key = PrivateKey::from_pem(&lab.read("backup-key.pem")).unwrap();
    assert_eq!(*key.public_key(), new.public_key);
}

#[test]
fn what_cannot_be_renewed_is_refused_and_the_reason_named() {
    let lab = applied(MANIFEST);
    lab.ok(&["--dir", "other", "init-ca", "--cn", "other CA"]);
    lab.ok(&["--dir", "other", "issue", "--profile", "client", "stranger"]);
    ok_on(&lab, 0, &["issue", "--profile", "client", "signed"]);
    std::fs::remove_file(lab.path("signed-key.pem")).unwrap();
    std::fs::copy(lab.path("pki/ca.pem"), lab.path("copy.pem")).unwrap();
    for (code, args, reason) in [
        (
            2,
            &["renew", "stranger.pem"][..],
            "was issued by CN=other CA, and not by the CA CN=etcd CA",
        ),
        (2, &["renew", "copy.pem"], "is a CA"),
        (2, &["renew", "--host", "nobody"], "--host nobody: this host has no folder"),
        (2, &["renew"], "required arguments were not provided"),
        (2, &["renew", "--all", "--ca"], "cannot be used with"),
        (2, &["renew", "signed.pem", "--before", "3d"], "cannot be used with"),
        (3, &["renew", "nothing.pem"], "nothing.pem"),
        (3, &["renew", "signed.pem", "--rekey"], "signed-key.pem is missing"),
        (3, &["--dir", "empty", "renew", "--all"], "no CA here"),
    ] {
        let run = lab.run_at(&day(1), args);
        assert_eq!(run.code, code, "{args:?}: {run:?}");
        assert!(run.stderr.contains(reason), "{args:?}: {run:?}");
    }
    // Without its key, which is elsewhere, the certificate is renewed.
    ok_on(&lab, 1, &["renew", "signed.pem"]);
    std::fs::rename(lab.path("pki/ca-key.pem"), lab.path("offline.pem")).unwrap();
    assert!(ok_on(&lab, 1, &["renew", "--all"]).contains("nothing is due"));
    let run = lab.run_at(&day(300), &["renew", "--all"]);
    assert_eq!(run.code, 3, "{run:?}");
}

#[test]
fn a_file_that_was_moved_or_replaced_is_kept() {
    let lab = Lab::with_ca(&[]);
    for name in ["moved", "replaced"] {
        ok_on(&lab, 400, &["issue", "--profile", "client", name]);
    }
    std::fs::rename(lab.path("moved.pem"), lab.path("away.pem")).unwrap();
    lab.ok(&["--dir", "other", "init-ca", "--cn", "other CA"]);
    lab.ok(&["--dir", "other", "issue", "--profile", "client", "replaced", "--force"]);
    let said = ok_on(&lab, 700, &["renew", "--all"]);
    assert!(said.contains("skipped: ") && said.contains("moved.pem"), "{said}");
    assert!(said.contains("nothing is due"), "{said}");
}

/// The last certificates that a CA issues end with it. A timer does not renew them every day, and fails when the CA is in
/// its last month.
#[test]
fn at_the_end_of_the_ca_the_timer_warns_then_fails_and_goes_on_when_the_ca_is_renewed() {
    let lab =
        applied("cluster: lab\nca: { expiry: 2y }\netcd: [{ name: etcdone, ip: 10.0.0.1 }]\n");
    let renew = ["renew", "--all"];
    for visit in [300, 560] {
        assert!(ok_on(&lab, visit, &renew).contains("renewed "));
    }
    let said = ok_on(&lab, 680, &renew);
    assert!(said.contains("is not renewed, because it ends with its CA"), "{said}");
    let run = lab.run_at(&day(720), &renew);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("[leaf-outlives-ca]"), "{run:?}");
    ok_on(&lab, 720, &["renew", "--ca"]);
    // The end of the CA had shortened it, and it gets its profile's lifetime again.
    assert!(ok_on(&lab, 720, &renew).contains("renewed "));
    let leaf = certificate(&lab, "pki/hosts/etcdone/peer.pem");
    assert_eq!((leaf.not_after - leaf.not_before).whole_days(), 365);
    ok_on(&lab, 720, APPLY);
    nothing_to_do(&lab, 720);
}
