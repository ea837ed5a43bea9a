//! `cas` in a manifest: a CA for servers, one for peers, one for clients.

use std::fs;

use pki_core::Certificate;

use crate::lab::Lab;

pub(super) const MANIFEST: &str = "\
cluster: lab
cas: { peer: { cn: peers of the lab, expiry: 5y } }
etcd: [{ name: one, ip: 192.0.2.1 }, { name: two, ip: 192.0.2.2 }]
control_plane: [{ name: master, ip: 192.0.2.9 }]
clients: [{ name: backup, host: one, format: [pem, pkcs12] }]
";

const APPLY: [&str; 3] = ["apply", "-f", "cluster.yaml"];

pub(super) fn applied(manifest: &str) -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest);
    lab.ok(&APPLY);
    lab
}

fn subjects(lab: &Lab, file: &str) -> Vec<String> {
    let read = Certificate::from_pem_or_der(&lab.read(file)).unwrap();
    read.iter().map(|certificate| certificate.subject.to_string()).collect()
}

fn issuer(lab: &Lab, file: &str) -> String {
    let read = Certificate::from_pem_or_der(&lab.read(file)).unwrap();
    read[0].issuer.to_string()
}

#[test]
fn each_certificate_comes_from_its_ca_and_each_port_trusts_its_own() {
    for version in ["3.4", "3.6"] {
        for crl in [false, true] {
            let more = format!("etcd_version: \"{version}\"\ncrl: {crl}\n");
            let lab = applied(&format!("{MANIFEST}{more}"));
            let (servers, peers, clients) =
                ("CN=etcd server CA", "CN=peers of the lab", "CN=etcd client CA");
            assert!(!lab.path("pki/ca.pem").exists());
            for (folder, subject) in [("server", servers), ("peer", peers), ("client", clients)] {
                assert_eq!(subjects(&lab, &format!("pki/{folder}-ca/ca.pem")), [subject]);
            }
            for (file, ca) in [
                ("one/server.pem", servers),
                ("one/peer.pem", peers),
                ("one/backup.pem", clients),
                ("master/apiserver-etcd-client.pem", clients),
            ] {
                assert_eq!(issuer(&lab, &format!("pki/hosts/{file}")), ca, "{file}");
            }
            for (file, cas) in [
                ("one/ca.pem", &[servers][..]),
                ("one/peer-ca.pem", &[peers]),
                ("one/client-ca.pem", &[clients, servers]),
                ("master/ca.pem", &[servers]),
            ] {
                assert_eq!(subjects(&lab, &format!("pki/hosts/{file}")), cas, "{file}");
            }
            assert!(!lab.path("pki/hosts/master/peer-ca.pem").exists());
            // Whoever installs a host's folder gets all of it.
            let install = String::from_utf8(lab.read("pki/hosts/one/install.sh")).unwrap();
            for file in fs::read_dir(lab.path("pki/hosts/one")).unwrap() {
                let name = file.unwrap().file_name().into_string().unwrap();
                assert!(name == "install.sh" || install.contains(&name), "{name}: {install}");
            }
            let crls = ["crl.der", "peer-crl.der"].map(|file| lab.path("pki/hosts/two").join(file));
            assert_eq!(crls.map(|crl| crl.exists()), [crl; 2]);

            assert!(lab.ok(&APPLY).ends_with("nothing to do\n"));
            let run = lab.run(&["plan", "-f", "cluster.yaml"]);
            assert_eq!(run.code, 0, "{run:?}");
            let run = lab.run(&["verify", "-f", "cluster.yaml"]);
            assert_eq!(run.code, 0, "{run:?}");
            assert!(!run.stdout.contains('['), "apply's own files have no findings: {run:?}");
            let run = lab.run(&["status", "-f", "cluster.yaml"]);
            assert_eq!(run.code, 0, "{run:?}");
            for args in [&["-f", "cluster.yaml"][..], &["--force"]] {
                lab.ok(&[&["export", "one"], args].concat());
            }
            // Without a manifest, too.
            lab.ok(&["verify", "pki/hosts/one/peer.pem", "--purpose", "peer"]);
        }
    }
}

#[test]
fn every_ca_records_what_it_issued_and_can_be_used_by_itself() {
    let lab = applied(MANIFEST);
    for (folder, count) in [("server", 3), ("peer", 3), ("client", 3)] {
        let folder = format!("pki/{folder}-ca");
        let said = lab.ok(&["--dir", &folder, "check"]);
        assert_eq!(said, format!("{folder}/inventory.db: ok, {count} certificates\n"));
    }
    let listed = lab.ok(&["--dir", "pki/peer-ca", "list", "--host", "one"]);
    assert!(listed.contains("../hosts/one/peer.pem\n"), "{listed}");
    fs::remove_file(lab.path("pki/peer-ca/inventory.db")).unwrap();
    lab.ok(&["--dir", "pki/peer-ca", "check", "--rebuild"]);
    assert_eq!(lab.ok(&["--dir", "pki/peer-ca", "list", "--host", "one"]).lines().count(), 2);
    lab.ok(&["--dir", "pki/client-ca", "issue", "--profile", "client", "prometheus"]);
}

/// A command for one CA says which there are.
#[test]
fn a_command_for_one_ca_names_the_three() {
    let lab = applied(MANIFEST);
    for args in [
        &["issue", "--profile", "client", "x"][..],
        &["crl", "--der"],
        &["crl", "--out", "crl.pem", "-f", "cluster.yaml"],
        &["passwd", "-f", "cluster.yaml"],
        &["certdb", "export", "certs.db", "-f", "cluster.yaml"],
    ] {
        let run = lab.run(args);
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        let says = "--dir: pki/server-ca, pki/peer-ca, pki/client-ca";
        assert!(run.stderr.contains(says), "{args:?}: {run:?}");
    }
}

/// A key that is kept offline is missed only by the certificates that it has to sign.
#[test]
fn only_the_ca_that_has_something_to_sign_needs_its_key() {
    let lab = applied(MANIFEST);
    for folder in ["server", "client"] {
        fs::remove_file(lab.path(format!("pki/{folder}-ca/ca-key.pem"))).unwrap();
    }
    fs::remove_file(lab.path("pki/hosts/one/peer.pem")).unwrap();
    lab.ok(&APPLY);
    fs::remove_file(lab.path("pki/hosts/one/server.pem")).unwrap();
    let run = lab.run(&APPLY);
    assert_eq!(run.code, 3, "{run:?}");
    let says = "1 certificate waits for the CA's signature: one/server.pem";
    assert!(
        run.stderr.contains("pki/server-ca/ca-key.pem") && run.stderr.contains(says),
        "{run:?}"
    );
}

/// Changing to separate CAs would replace every certificate at once, and cut the members off each other.
#[test]
fn a_cluster_with_one_ca_does_not_get_three_by_the_way() {
    let one = MANIFEST.replace("cas: {", "# cas: {");
    let lab = applied(&one);
    lab.write("cluster.yaml", MANIFEST);
    for command in ["plan", "apply"] {
        let run = lab.run(&[command, "-f", "cluster.yaml"]);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stderr.contains("pki/server-ca: ca.pem and ca-key.pem are missing"), "{run:?}");
        assert!(run.stderr.contains("hosts/ with 3 folders"), "{run:?}");
    }
    let lab = applied(MANIFEST);
    lab.write("cluster.yaml", one);
    let run = lab.run(&APPLY);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("pki: it holds separate CAs"), "{run:?}");
    // A lost one is not created again beside the others.
    let lab = applied(MANIFEST);
    fs::remove_dir_all(lab.path("pki/peer-ca")).unwrap();
    let run = lab.run(&APPLY);
    assert_eq!(run.code, 3, "{run:?}");
}

#[test]
fn mistakes_in_cas_are_named() {
    for (change, says) in [
        ("cas: {}\nca: { cn: x }", "\"cas\" lists the CAs already"),
        ("cas: { server: { cn: x }, peer: { cn: x } }", "two CAs have the same name"),
        ("cas: { servers: {} }", "servers"),
        ("cas: {}\ncombined: true", "one certificate cannot come from two CAs"),
        ("cas: { client: { expiry: 100d } }", "not shorter than that of this CA"),
    ] {
        let lab = Lab::new();
        lab.write(
            "cluster.yaml",
            MANIFEST.replace("cas: { peer: { cn: peers of the lab, expiry: 5y } }", change),
        );
        let run = lab.run(&APPLY);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(says), "{says}: {run:?}");
        assert!(run.stderr.contains("hint: "), "{run:?}");
        assert!(!lab.path("pki").exists());
    }
}
