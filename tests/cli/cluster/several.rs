//! Commands that work on all the CAs of a manifest with `cas` in one run.

use std::fs;

use pki_core::Certificate;
use serde_json::Value;

use super::separate::{MANIFEST, applied};
use crate::lab::Lab;

const CAS: [&str; 3] = ["server", "peer", "client"];

fn serial(lab: &Lab, file: &str) -> String {
    Certificate::from_pem_or_der(&lab.read(file)).unwrap()[0].serial.to_string()
}

fn json(lab: &Lab, args: &[&str]) -> Value {
    serde_json::from_str(&lab.ok(&[&["--format", "json"], args].concat())).unwrap()
}

#[test]
fn one_table_lists_what_three_cas_issued_and_show_finds_it() {
    let lab = applied(MANIFEST);
    // With the manifest, and with the folder around the three.
    for place in [&["-f", "cluster.yaml"][..], &["--dir", "pki"]] {
        let listed = lab.ok(&[&["list", "--host", "one"], place].concat());
        let rows: Vec<&str> = listed.lines().skip(1).collect();
        assert_eq!(rows.len(), 3, "{listed}");
        for (ca, file) in CAS.into_iter().zip(["server.pem", "peer.pem", "backup.pem"]) {
            let of_ca = |row: &&&str| row.contains(&format!("  {ca}")) && row.ends_with(file);
            assert_eq!(rows.iter().filter(of_ca).count(), 1, "{ca}: {listed}");
        }
        let document = json(&lab, &[&["list", "--profile", "ca"], place].concat());
        let cas: Vec<_> = document["certificates"].as_array().unwrap().iter().collect();
        assert_eq!(cas.iter().map(|ca| ca["ca"].as_str().unwrap()).collect::<Vec<_>>(), CAS);
        for file in ["server.pem", "peer.pem", "backup.pem"] {
            let serial = serial(&lab, &format!("pki/hosts/one/{file}"));
            let shown = lab.ok(&[&["show", &*serial], place].concat());
            assert!(shown.contains(&format!("../hosts/one/{file}")), "{shown}");
        }
    }
    // One CA has a table without the column.
    let listed = lab.ok(&["list", "--dir", "pki/peer-ca", "-f", "cluster.yaml"]);
    assert!(!listed.lines().next().unwrap().contains(" CA "), "{listed}");
    let run = lab.run(&["show", "12", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 1, "{run:?}");
    for ca in CAS {
        assert!(run.stderr.contains(&format!("pki/{ca}-ca/inventory.db")), "{run:?}");
    }
}

#[test]
fn renew_takes_each_certificate_to_its_ca() {
    let lab = applied(MANIFEST);
    let files =
        ["server.pem", "peer.pem", "backup.pem"].map(|file| format!("pki/hosts/one/{file}"));
    let serials = || files.clone().map(|file| serial(&lab, &file));
    let first = serials();
    let host = ["renew", "--host", "one", "-f", "cluster.yaml", "--before", "100y"];
    let renewed = lab.ok(&host);
    assert_eq!(renewed.matches("renewed ").count(), 3, "{renewed}");
    assert_eq!(renewed.matches("next: ").count(), 1, "{renewed}");
    let second = serials();
    assert!(first.iter().zip(&second).all(|(one, other)| one != other));
    lab.ok(&["renew", &*files[0], &*files[2], "-f", "cluster.yaml"]);
    let third = serials();
    assert!(third[0] != second[0] && third[1] == second[1] && third[2] != second[2]);
    assert_eq!(lab.run(&["verify", "-f", "cluster.yaml"]).code, 0);
    assert!(lab.ok(&["check", "-f", "cluster.yaml"]).lines().all(|line| line.contains(": ok, ")));

    // A mistake in the command line is reported once.
    let run = lab.run(&["renew", "--host", "onw", "-f", "cluster.yaml"]);
    assert_eq!((run.code, run.stderr.matches("--host onw").count()), (2, 1), "{run:?}");
    let run = lab.run(&["renew", "pki/peer-ca/ca.pem", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 2, "{run:?}");
}

/// A CA that fails neither stops nor hides the others, and the exit code is that of the worst failure.
#[test]
fn the_failure_of_one_ca_hides_no_other() {
    let lab = applied(MANIFEST);
    fs::rename(lab.path("pki/server-ca/ca-key.pem"), lab.path("server-key.pem")).unwrap();
    let all = ["renew", "--all", "-f", "cluster.yaml", "--before", "100y"];
    let run = lab.run(&all);
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(run.stdout.matches("renewed ").count(), 4, "{run:?}");
    assert!(run.stderr.contains("the CA for servers: pki/server-ca/ca-key.pem"), "{run:?}");
    let run = lab.run(&["crl", "-f", "cluster.yaml"]);
    assert_eq!((run.code, run.stdout.matches("BEGIN X509 CRL").count()), (3, 2), "{run:?}");
    fs::rename(lab.path("server-key.pem"), lab.path("pki/server-ca/ca-key.pem")).unwrap();

    fs::remove_file(lab.path("pki/peer-ca/inventory.db")).unwrap();
    let run = lab.run(&["list", "-f", "cluster.yaml", "--host", "two"]);
    assert_eq!((run.code, run.stdout.lines().count()), (3, 2), "{run:?}");
    assert!(run.stderr.contains("pki/peer-ca/inventory.db is missing"), "{run:?}");
    let run = lab.run(&["backup", "copy.db", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(lab.path("copy-server.db").exists() && lab.path("copy-client.db").exists());
    let run = lab.run(&["check", "-f", "cluster.yaml"]);
    assert_eq!((run.code, run.stdout.matches(": ok, ").count()), (1, 2), "{run:?}");
    lab.ok(&["check", "--rebuild", "-f", "cluster.yaml"]);
    assert_eq!(lab.ok(&["list", "-f", "cluster.yaml", "--host", "two"]).lines().count(), 3);
}

#[test]
fn each_ca_revokes_its_own_and_issues_its_crl() {
    let lab = applied(&format!("{MANIFEST}crl: true\n"));
    assert_eq!(lab.ok(&["crl", "--check", "-f", "cluster.yaml"]).lines().count(), 2);
    let document = json(&lab, &["revoke", "--host", "one", "-f", "cluster.yaml"]);
    let revoked = document["certificates"].as_array().unwrap();
    assert!(revoked.iter().all(|revoked| revoked["changed"] == true), "{document}");
    assert_eq!(revoked.len(), 3, "{document}");
    let server = serial(&lab, "pki/hosts/two/server.pem");
    let (peer, server) = ("pki/hosts/two/peer.pem", &*server);
    lab.ok(&["revoke", peer, server, "--reason", "superseded", "-f", "cluster.yaml"]);
    let run = lab.run(&["crl", "--check", "-f", "cluster.yaml"]);
    assert_eq!((run.code, run.stdout.lines().count()), (1, 3), "{run:?}");

    let crls = lab.ok(&["crl", "-f", "cluster.yaml"]);
    lab.write("crls.pem", &crls);
    let document = json(&lab, &["inspect", "crls.pem"]);
    let contents = document["files"][0]["contents"].as_array().unwrap().iter();
    let listed = contents.map(|crl| crl["revoked"].as_array().unwrap().len());
    assert_eq!(listed.collect::<Vec<_>>(), [2, 2, 1]);
    let document = json(&lab, &["crl", "--check", "-f", "cluster.yaml"]);
    let checked = document["cas"].as_array().unwrap().iter();
    assert_eq!(checked.map(|ca| ca["ca"].as_str().unwrap()).collect::<Vec<_>>(), CAS);

    // A certificate that no CA of the cluster issued.
    lab.ok(&["--dir", "other", "init-ca"]);
    lab.ok(&["--dir", "other", "issue", "--profile", "client", "stranger"]);
    let run = lab.run(&["revoke", "stranger.pem", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("not by one of these CAs"), "{run:?}");
    let run = lab.run(&["revoke", "pki/peer-ca/ca.pem", "-f", "cluster.yaml"]);
    assert!(run.code == 1 && run.stderr.contains("the CA itself"), "{run:?}");
}

/// The last lines name the files that change, and the processes that read them.
#[test]
fn renew_ca_names_the_trust_files_of_each_ca() {
    let lab = applied(MANIFEST);
    let ca = |name: &str| lab.read(format!("pki/{name}-ca/ca.pem"));
    let before = CAS.map(ca);
    let said = lab.ok(&["renew", "--ca", "peer", "-f", "cluster.yaml"]);
    assert!(said.contains("then copy peer-ca.pem to every member\n"), "{said}");
    assert!(said.contains("restart every member, one after the other"), "{said}");
    assert!(!said.contains(" ca.pem"), "{said}");
    let after = CAS.map(ca);
    assert!(before[0] == after[0] && before[1] != after[1] && before[2] == after[2]);

    let said = lab.ok(&["renew", "--ca", "-f", "cluster.yaml"]);
    assert_eq!(said.matches("renewed pki/").count(), 3, "{said}");
    for files in
        ["copy ca.pem and client-ca.pem to every host", "copy client-ca.pem to every member"]
    {
        assert!(said.contains(files), "{files}: {said}");
    }
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 0, "{run:?}");

    lab.write("one.yaml", MANIFEST.replace("cas: {", "# cas: {"));
    let run = lab.run(&["renew", "--ca", "peer", "-f", "one.yaml", "--dir", "other"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("--ca peer: the cluster has no separate CAs"), "{run:?}");
}
